package awssim

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// InstanceState is the state of an EC2 instance, in AWS's words.
type InstanceState string

// The states of an instance and their codes.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceState.html
const (
	Pending      InstanceState = "pending"
	Running      InstanceState = "running"
	ShuttingDown InstanceState = "shutting-down"
	Terminated   InstanceState = "terminated"
	Stopping     InstanceState = "stopping"
	Stopped      InstanceState = "stopped"
)

var stateCodes = map[InstanceState]int{
	Pending: 0, Running: 16, ShuttingDown: 32, Terminated: 48, Stopping: 64, Stopped: 80,
}

// forgotten is for how long a terminated instance is still described.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/terminating-instances.html
const forgotten = time.Hour

// Instance is an EC2 instance.
type Instance struct {
	// Account and Region it is in; empty means DefaultAccount, and the region
	// of its Zone.
	Account, Region string
	// ID of the instance: i- and 8 or 17 hex digits.
	ID string
	// Zone is its availability zone, such as us-east-1a.
	Zone string
	// VPC id. The VPC is made if it does not exist.
	VPC string
	// State; empty means Running.
	State InstanceState
	// Type of the instance; empty means m5.large. Network Load Balancers refuse
	// some old ones.
	Type string
	// PrivateIP is its address; it may be empty.
	PrivateIP string
	// IPv6 is its primary IPv6 address; without one it cannot be registered in an
	// IPv6 target group.
	IPv6 string
	// SecurityGroups of its network interface; none means that it admits everybody.
	SecurityGroups []string
	// Tags of the instance.
	Tags map[string]string
}

type instance struct {
	Instance

	// since is when it came into its state.
	since time.Time
}

// family is the part of the instance type before the size.
func (i *instance) family() string {
	family, _, _ := strings.Cut(i.Type, ".")
	return family
}

var (
	zoneName   = regexp.MustCompile(`^([a-z]{2}(?:-[a-z]+)+-\d)[a-z]$`)
	instanceID = regexp.MustCompile(`^i-([0-9a-f]{8}|[0-9a-f]{17})$`)
)

// locate fills in the defaults of an account and region. It panics if there is
// neither a region nor a zone to tell it.
func locate(account, region, zone string) place {
	if m := zoneName.FindStringSubmatch(zone); region == "" && m != nil {
		region = m[1]
	}
	if region == "" {
		panic(fmt.Sprintf("awssim: no region, and zone %q does not tell it", zone))
	}
	return place{or(account, DefaultAccount), region}
}

// SeedInstance makes an instance, or replaces the one with its id. It panics if
// the id is not one that EC2 would give.
func (s *Sim) SeedInstance(i Instance) {
	if !instanceID.MatchString(i.ID) {
		panic("awssim: not an instance id: " + i.ID)
	}
	if i.State == "" {
		i.State = Running
	}
	if i.Type == "" {
		i.Type = "m5.large"
	}
	s.change(func(now time.Time) {
		w := s.world(locate(i.Account, i.Region, i.Zone))
		i.Account, i.Region = w.account, w.region
		w.vpc(i.VPC)
		w.instances[i.ID] = &instance{Instance: i, since: now}
	})
}

// SetInstanceState changes the state of an instance, as its owner or AWS would.
// It panics if there is no instance with the id, or no such state.
func (s *Sim) SetInstanceState(id string, state InstanceState) {
	if _, ok := stateCodes[state]; !ok {
		panic(fmt.Sprintf("awssim: unknown instance state %q", state))
	}
	s.change(func(now time.Time) {
		for _, w := range s.worlds {
			if i := w.instances[id]; i != nil {
				i.State, i.since = state, now
				return
			}
		}
		panic("awssim: no such instance: " + id)
	})
}

// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html
func instanceActions() map[string]action {
	return map[string]action{"DescribeInstances": {
		bucket: ec2Filtered,
		params: map[string]shape{
			"InstanceId.N": anyText(), "Filter.N.Name": anyText(), "Filter.N.Value.N": anyText(),
			"MaxResults": number(5, 1000), "NextToken": anyText(),
		},
		run: describeInstances,
	}}
}

func describeInstances(c *call) (any, error) {
	ids := c.list("InstanceId")
	if len(ids) > 0 && c.has("MaxResults") {
		return nil, refuse("InvalidParameterCombination",
			"The parameter instancesSet cannot be used with the parameter maxResults")
	}
	filters, err := c.readFilters()
	if err != nil {
		return nil, err
	}
	known := c.world().instances
	for _, id := range ids {
		switch i := known[id]; {
		case !instanceID.MatchString(id):
			return nil, refuse("InvalidInstanceID.Malformed", "Invalid id: %q", id)
		case i == nil || i.gone(c.now):
			return nil, refuse("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", id)
		}
	}
	var found []*instance
	for _, id := range slices.Sorted(maps.Keys(known)) {
		i := known[id]
		if !i.gone(c.now) && (len(ids) == 0 || slices.Contains(ids, id)) && i.passes(filters) {
			found = append(found, i)
		}
	}
	page, next, err := pageOf(found, func(i *instance) string { return i.ID }, c.str("NextToken"), c.num("MaxResults", 1000))
	if err != nil {
		return nil, refuse("InvalidParameterValue", "Invalid NextToken")
	}
	return instanceList(page, next), nil
}

func (i *instance) gone(now time.Time) bool {
	return i.State == Terminated && !now.Before(i.since.Add(forgotten))
}

type filter struct {
	name   string
	values []string
}

func (c *call) readFilters() ([]filter, error) {
	var out []filter
	for _, item := range c.items("Filter") {
		f := filter{name: c.str(item + "Name"), values: c.list(item + "Value")}
		if _, ok := (&instance{}).filtered(f.name); !ok {
			return nil, refuse("InvalidParameterValue", "The filter '%s' is invalid", f.name)
		}
		out = append(out, f)
	}
	return out, nil
}

// filtered is the value of an instance that a filter looks at.
func (i *instance) filtered(name string) (string, bool) {
	if key, ok := strings.CutPrefix(name, "tag:"); ok {
		return i.Tags[key], true
	}
	v, ok := map[string]string{
		"instance-id": i.ID, "instance-state-name": string(i.State), "vpc-id": i.VPC,
		"availability-zone": i.Zone, "private-ip-address": i.PrivateIP,
	}[name]
	return v, ok
}

func (i *instance) passes(filters []filter) bool {
	for _, f := range filters {
		if v, _ := i.filtered(f.name); !slices.Contains(f.values, v) {
			return false
		}
	}
	return true
}

type xmlInstance struct {
	InstanceID string `xml:"instanceId"`
	Type       string `xml:"instanceType"`
	State      struct {
		Code int    `xml:"code"`
		Name string `xml:"name"`
	} `xml:"instanceState"`
	LaunchTime string              `xml:"launchTime"`
	Zone       string              `xml:"placement>availabilityZone"`
	VPC        string              `xml:"vpcId,omitempty"`
	PrivateIP  string              `xml:"privateIpAddress,omitempty"`
	Tags       set[xmlInstanceTag] `xml:"tagSet"`
}

type xmlInstanceTag struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

type xmlReservation struct {
	ID        string           `xml:"reservationId"`
	Owner     string           `xml:"ownerId"`
	Instances set[xmlInstance] `xml:"instancesSet"`
}

// xmlReservations stand in the response without an element around them.
type xmlReservations struct {
	Reservations set[xmlReservation] `xml:"reservationSet"`
	NextToken    string              `xml:"nextToken,omitempty"`
}

func instanceList(page []*instance, next string) xmlReservations {
	out := xmlReservations{NextToken: next}
	for _, i := range page {
		x := xmlInstance{InstanceID: i.ID, Type: i.Type, Zone: i.Zone, VPC: i.VPC, PrivateIP: i.PrivateIP, LaunchTime: timestamp(i.since)}
		x.State.Code, x.State.Name = stateCodes[i.State], string(i.State)
		for _, k := range slices.Sorted(maps.Keys(i.Tags)) {
			x.Tags.Item = append(x.Tags.Item, xmlInstanceTag{k, i.Tags[k]})
		}
		out.Reservations.Item = append(out.Reservations.Item, xmlReservation{
			ID: "r-" + i.ID[2:], Owner: i.Account, Instances: set[xmlInstance]{[]xmlInstance{x}},
		})
	}
	return out
}
