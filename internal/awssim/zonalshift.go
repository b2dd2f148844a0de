package awssim

import (
	"slices"
	"time"
)

// ShiftAway starts a zonal shift: a load balancer's zone leaves DNS, and with
// cross-zone load balancing nothing is sent to its targets either. Connections
// that are open stay. It returns what ends the shift. A load balancer that has
// not enabled it, or has no such zone, is refused.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/zonal-shift.html
func (s *Sim) ShiftAway(arn, zone string) (end func(), err error) {
	var lb *loadBalancer
	s.change(func(time.Time) {
		lb = s.loadBalancerAt(arn)
		switch {
		case lb.attribute(lbZonalShift) != "true":
			err = refuse("ValidationException", "Zonal shift is not enabled for the resource '%s'", arn)
		case !slices.Contains(lb.enabled(), zone):
			err = refuse("ValidationException", "The resource '%s' is not in the Availability Zone '%s'", arn, zone)
		case lb.shifted != "":
			err = refuse("ConflictException", "A zonal shift is active for the resource '%s'", arn)
		default:
			lb.shifted = zone
			s.world(lb.place).relink()
		}
	})
	if err != nil {
		return nil, err
	}
	return func() {
		s.change(func(time.Time) {
			lb.shifted = ""
			s.world(lb.place).relink()
		})
	}, nil
}

// away says whether a zonal shift is on for a zone of the group.
func (g *targetGroup) away(zone string) bool {
	return slices.ContainsFunc(g.forwards, func(l *Listener) bool { return l.shifted != "" && l.shifted == zone })
}

// shifted says whether a zonal shift keeps new connections from a target.
func (g *targetGroup) shifted(t *target) bool { return g.crossZone() && g.away(t.zone) }

type xmlOverride struct{ State, Reason, Description string }

// override is what a zonal shift does to a target.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_AdministrativeOverride.html
func (g *targetGroup) override(t Target) xmlOverride {
	const prefix = "AdministrativeOverride."
	switch {
	case !g.away(t.Zone):
		return xmlOverride{"no_override", prefix + "NoOverride", "No override is currently active on target"}
	case g.crossZone():
		return xmlOverride{"zonal_shift_active", prefix + "ZonalShiftActive", "Zonal shift is currently active on target"}
	}
	return xmlOverride{
		"zonal_shift_delegated_to_dns", prefix + "ZonalShiftDelegatedToDns",
		"Zonal shift is currently active on target and traffic is routed away through DNS only",
	}
}
