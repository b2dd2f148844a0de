package awssim

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// LoadBalancerSeed is a Network Load Balancer to make.
type LoadBalancerSeed struct {
	// Account and Region; empty means DefaultAccount and us-east-1.
	Account, Region string
	// Name, Scheme, Subnets and SecurityGroups as CreateLoadBalancer takes them.
	Name, Scheme            string
	Subnets, SecurityGroups []string
	// Params are further parameters of CreateLoadBalancer, such as IpAddressType.
	Params map[string]string
	// Attributes and Tags to set.
	Attributes, Tags map[string]string
}

// SeedLoadBalancer makes a load balancer under AWS's rules, without calls that
// are counted. It is active at once.
func (s *Sim) SeedLoadBalancer(seed LoadBalancerSeed) (arn string, err error) {
	p := place{or(seed.Account, DefaultAccount), or(seed.Region, "us-east-1")}
	form := url.Values{"Name": {seed.Name}, "Type": {"network"}}
	if seed.Scheme != "" {
		form.Set("Scheme", seed.Scheme)
	}
	texts(form, "Subnets", seed.Subnets)
	texts(form, "SecurityGroups", seed.SecurityGroups)
	for k, v := range seed.Params {
		form.Set(k, v)
	}
	pairs(form, "Tags", seed.Tags)
	out, err := s.do(p, "CreateLoadBalancer", form)
	if err != nil {
		return "", fmt.Errorf("cannot seed load balancer %q: %w", seed.Name, err)
	}
	lbs, _ := out.(xmlLoadBalancers)
	arn = lbs.LoadBalancers.Member[0].LoadBalancerArn
	s.change(func(now time.Time) {
		lb := s.world(p).loadBalancers[arn]
		lb.active, lb.visible = now, now
	})
	if len(seed.Attributes) == 0 {
		return arn, nil
	}
	form = url.Values{"LoadBalancerArn": {arn}}
	pairs(form, "Attributes", seed.Attributes)
	if _, err := s.do(p, "ModifyLoadBalancerAttributes", form); err != nil {
		return "", fmt.Errorf("cannot seed attributes of load balancer %q: %w", seed.Name, err)
	}
	return arn, nil
}

// SeedListener makes a listener under AWS's rules, without calls that are counted,
// and returns its ARN: one that forwards to target groups, in equal parts. Every
// call finds it at once.
func (s *Sim) SeedListener(loadBalancer, protocol string, port int32, groups ...string) (arn string, err error) {
	form := url.Values{
		"LoadBalancerArn": {loadBalancer}, "Protocol": {protocol}, "Port": {strconv.Itoa(int(port))},
		"DefaultActions.member.1.Type": {"forward"},
	}
	for i, group := range groups {
		form.Set("DefaultActions.member.1.ForwardConfig.TargetGroups.member."+strconv.Itoa(i+1)+".TargetGroupArn", group)
	}
	p := s.placeOf(loadBalancer)
	out, err := s.do(p, "CreateListener", form)
	if err != nil {
		return "", fmt.Errorf("cannot seed listener on port %d: %w", port, err)
	}
	listeners, _ := out.(xmlListeners)
	arn = listeners.Listeners.Member[0].ListenerArn
	s.change(func(now time.Time) { s.world(p).loadBalancers[loadBalancer].listeners[arn].visible = now })
	return arn, nil
}

// placeOf is where a load balancer is.
func (s *Sim) placeOf(loadBalancer string) place {
	_, unlock := s.lock()
	defer unlock()
	return s.loadBalancerAt(loadBalancer).place
}

// texts writes a list of texts.
func texts(form url.Values, name string, values []string) {
	for i, v := range values {
		form.Set(name+".member."+strconv.Itoa(i+1), v)
	}
}

// LoadBalancer is a load balancer as AWS has it.
type LoadBalancer struct {
	ARN, Name, DNSName, Scheme, VPC, State string
	// Zones that are enabled, and the subnet of each.
	Zones map[string]string
	// SecurityGroups in the order they were given.
	SecurityGroups []string
	// Tags and all Attributes, defaults included.
	Tags, Attributes map[string]string
	// Listeners by port.
	Listeners map[int32]string
}

// LoadBalancers returns the load balancers of an account and region by name.
func (s *Sim) LoadBalancers(account, region string) []LoadBalancer {
	now, unlock := s.lock()
	defer unlock()
	var out []LoadBalancer
	for _, lb := range s.world(place{account, region}).loadBalancers {
		x := LoadBalancer{
			ARN: lb.arn, Name: lb.name, DNSName: lb.dnsName(), Scheme: lb.scheme, VPC: lb.vpc, Zones: map[string]string{},
			SecurityGroups: slices.Clone(lb.groups), Tags: maps.Clone(lb.tags), Attributes: map[string]string{}, Listeners: map[int32]string{},
		}
		x.State, _ = lb.stateAt(now)
		for _, z := range lb.zones {
			x.Zones[z.subnet.zone] = z.id
		}
		for _, a := range lbAttributes {
			x.Attributes[a.key] = lb.attribute(a.key)
		}
		for arn, l := range lb.listeners {
			x.Listeners[int32(l.port)] = arn
		}
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b LoadBalancer) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// loadBalancerAt returns the load balancer of an ARN, wherever it is. It panics
// if there is none: a test that changes nothing would prove nothing.
func (s *Sim) loadBalancerAt(arn string) *loadBalancer {
	for _, w := range s.worlds {
		if lb := w.loadBalancers[arn]; lb != nil {
			return lb
		}
	}
	panic("awssim: no such load balancer: " + arn)
}

// SetLoadBalancerState gives a load balancer a state and a reason: provisioning,
// active, active_impaired or failed. An empty state lets it take its course again.
func (s *Sim) SetLoadBalancerState(arn, state, reason string) {
	if !slices.Contains([]string{"", "provisioning", "active", "active_impaired", "failed"}, state) {
		panic(fmt.Sprintf("awssim: unknown load balancer state %q", state))
	}
	s.change(func(time.Time) {
		lb := s.loadBalancerAt(arn)
		lb.state, lb.reason = state, reason
	})
}

// SetCapacityState gives the capacity reservation of a load balancer a state and a
// reason: pending, rebalancing or failed. The next request takes its course again.
func (s *Sim) SetCapacityState(arn, state, reason string) {
	if !slices.Contains([]string{"pending", "rebalancing", "failed"}, state) {
		panic(fmt.Sprintf("awssim: unknown capacity reservation state %q", state))
	}
	s.change(func(time.Time) {
		p := &s.loadBalancerAt(arn).capacity
		p.state, p.reason = state, reason
	})
}

// SetEndpointService lets a VPC endpoint service use zones of a load balancer,
// which then can neither be removed nor deleted; without zones nobody uses it.
func (s *Sim) SetEndpointService(arn string, zones ...string) {
	s.change(func(time.Time) { s.loadBalancerAt(arn).endpointZones = zones })
}

// DeleteLoadBalancer deletes a load balancer behind everybody's back, whatever
// protects it.
func (s *Sim) DeleteLoadBalancer(arn string) {
	s.change(func(now time.Time) { s.removeLoadBalancer(s.loadBalancerAt(arn), now) })
}

// DeleteListener deletes a listener behind everybody's back.
func (s *Sim) DeleteListener(arn string) {
	s.change(func(time.Time) {
		for _, w := range s.worlds {
			for _, lb := range w.loadBalancers {
				delete(lb.listeners, arn)
			}
			w.relink()
		}
	})
}

// SeedCertificate issues a certificate of ACM, or uploads one to IAM: its ARN
// tells. It panics if the ARN is neither's.
func (s *Sim) SeedCertificate(arn string) {
	m := certificateARN.FindStringSubmatch(arn)
	if m == nil {
		panic("awssim: not the ARN of a certificate: " + arn)
	}
	s.change(func(time.Time) {
		if m[1] != "" {
			s.world(place{m[2], m[1]}).certificates[arn] = true
			return
		}
		// A certificate of IAM is known in every region.
		for _, region := range s.opts.Regions {
			s.world(place{m[3], region}).certificates[arn] = true
		}
	})
}

// SeedPrefixList makes a prefix list with room for a number of entries, which is
// what it weighs in a security group.
func (s *Sim) SeedPrefixList(account, region, id string, entries int) {
	s.change(func(time.Time) { s.world(locate(account, region, "")).prefixLists[id] = entries })
}

// UseSecurityGroup lets an interface of somebody else have a security group, and
// returns what releases it again.
func (s *Sim) UseSecurityGroup(id string) (release func()) {
	g := (*securityGroup)(nil)
	s.change(func(time.Time) {
		for _, w := range s.worlds {
			if g = w.securityGroups[id]; g != nil {
				g.users++
				return
			}
		}
		panic("awssim: no such security group: " + id)
	})
	return func() { s.change(func(time.Time) { g.users-- }) }
}

// DeleteSecurityGroup deletes a security group behind everybody's back, whatever
// uses it.
func (s *Sim) DeleteSecurityGroup(id string) {
	s.change(func(time.Time) {
		for _, w := range s.worlds {
			delete(w.securityGroups, id)
		}
	})
}
