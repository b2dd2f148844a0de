package awssim

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Target is a target as AWS has it.
type Target struct {
	Key

	// Zone it is in; "all" for an address outside the VPC that serves all zones.
	Zone string
	// QUICServerID of targets of QUIC groups.
	QUICServerID string
	// State, and why it is in it.
	State  HealthState
	Reason Reason
	// Description says it for people.
	Description string
	// HealthySince is when it became healthy; zero unless it is.
	HealthySince time.Time
}

// Config is a client's configuration that reaches the Sim with DefaultKey. It
// starts the Sim if need be, and panics if that fails. Its retries are the SDK's;
// set RetryMaxAttempts to 1 to see each answer.
func (s *Sim) Config(region string) aws.Config {
	return s.ConfigFor(region, DefaultKey)
}

// ConfigFor is Config with another key.
func (s *Sim) ConfigFor(region string, k AccessKey) aws.Config {
	endpoint, err := s.Start()
	if err != nil {
		panic("awssim: " + err.Error())
	}
	return aws.Config{
		Region:       region,
		BaseEndpoint: aws.String(endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider(k.ID, k.Secret, ""),
		APIOptions:   []func(*middleware.Stack) error{plainBody},
	}
}

// plainBody leaves of a request's body only what can be read. We answer so soon that
// net/http may look for the end of a body which the SDK has closed; from WriteTo it gets
// io.EOF, takes that for a request that was not sent and cuts the connection, with what
// has not been read of a long answer. The SDK would ask again.
func plainBody(s *middleware.Stack) error {
	return s.Build.Add(middleware.BuildMiddlewareFunc("awssim/PlainBody", func(
		ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler,
	) (out middleware.BuildOutput, metadata middleware.Metadata, err error) {
		if r, ok := in.Request.(*smithyhttp.Request); ok {
			if body, ok := r.GetStream().(io.ReadSeeker); ok {
				if in.Request, err = r.SetStream(struct{ io.ReadSeeker }{body}); err != nil {
					return out, metadata, err
				}
			}
		}
		return next.HandleBuild(ctx, in)
	}), middleware.Before)
}

// Listener is a listener that forwards to a target group, as far as target
// groups care: the short way, for those who need no CreateListener.
type Listener struct {
	// LoadBalancerARN it belongs to; empty means one of the group's own.
	LoadBalancerARN string
	// Zones that are enabled for its load balancer.
	Zones []string
	// CrossZone says that its load balancer has cross-zone load balancing on.
	CrossZone bool

	// shifted is the zone that a zonal shift of the load balancer takes out. tls and
	// unstuck say that a TLS listener forwards to the group, and that an action does
	// that has several groups and no stickiness.
	shifted      string
	tls, unstuck bool
}

// AttachListener lets a listener forward to a group, and returns what deletes
// it again. A group that another load balancer uses is refused, as
// TargetGroupAssociationLimit.
func (s *Sim) AttachListener(arn string, l Listener) (detach func(), err error) {
	g := (*targetGroup)(nil)
	s.change(func(time.Time) {
		if g = s.groupAt(arn); g == nil {
			err = refuse("TargetGroupNotFound", "Target groups '%s' not found", arn)
			return
		}
		if l.LoadBalancerARN == "" {
			l.LoadBalancerARN = fmt.Sprintf("arn:%s:elasticloadbalancing:%s:%s:loadbalancer/net/%s/%s",
				partition(g.region), g.region, g.account, g.settings.name, hash([]byte(arn))[:16])
		}
		if lbs := g.loadBalancers(); len(lbs) > 0 && lbs[0] != l.LoadBalancerARN {
			err = refuse("TargetGroupAssociationLimit",
				"The following target groups cannot be associated with more than one load balancer: %s", arn)
			return
		}
		g.attached = append(g.attached, &l)
	})
	if err != nil {
		return nil, err
	}
	return func() {
		s.change(func(time.Time) {
			g.attached = slices.DeleteFunc(g.attached, func(other *Listener) bool { return other == &l })
		})
	}, nil
}

// groupAt returns the group of an ARN, wherever it is.
func (s *Sim) groupAt(arn string) *targetGroup {
	for _, w := range s.worlds {
		if g := w.groups[arn]; g != nil {
			return g
		}
	}
	return nil
}

// SetAccepting says whether a process accepts on a port of an instance or
// address. Health checks and clients find it; it says nothing about registration.
func (s *Sim) SetAccepting(id string, port int32, accepting bool) {
	p := Refuses
	if accepting {
		p = Accepts
	}
	s.SetProbe(id, port, p)
}

// SetProbe says what health checks and clients find on a port of an instance or
// address.
func (s *Sim) SetProbe(id string, port int32, p Probe) {
	if !slices.Contains([]Probe{Accepts, Refuses, TimesOut, AnswersWrong, Finishing}, p) {
		panic(fmt.Sprintf("awssim: unknown probe %q", p))
	}
	s.change(func(time.Time) { s.probes[Key{id, port}] = p })
}

// Targets returns the targets of a group as they are, in order of id and port;
// readers may lag behind. Draining ones are among them.
func (s *Sim) Targets(arn string) []Target {
	now, unlock := s.lock()
	defer unlock()
	if g := s.groupAt(arn); g != nil {
		return g.list(now, false)
	}
	return nil
}

// Target returns one target of a group as it is.
func (s *Sim) Target(arn, id string, port int32) (Target, bool) {
	now, unlock := s.lock()
	defer unlock()
	if g := s.groupAt(arn); g != nil {
		return g.look(Key{id, port}, now, false)
	}
	return Target{}, false
}

// LoseHealth lets an internal error keep from AWS's readers what health a group's
// targets have, until it is restored. Checks go on and so does the traffic (assumed).
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
func (s *Sim) LoseHealth(arn string) (restore func()) {
	set := func(lost bool) {
		s.change(func(time.Time) {
			if g := s.groupAt(arn); g != nil {
				g.healthLost = lost
			}
		})
	}
	set(true)
	return func() { set(false) }
}

// DropTarget removes a target behind everybody's back: at once, without draining
// and without a call.
func (s *Sim) DropTarget(arn, id string, port int32) {
	s.change(func(time.Time) {
		if g := s.groupAt(arn); g != nil {
			delete(g.targets, Key{id, port})
		}
	})
}

// PutTarget registers a target behind everybody's back, as somebody else would:
// under AWS's rules, and without a call that is counted.
func (s *Sim) PutTarget(arn, id string, port int32) error {
	m := targetGroupARN.FindStringSubmatch(arn)
	if m == nil {
		return invalid("'%s' is not a valid target group ARN", arn)
	}
	_, err := s.do(place{m[2], m[1]}, "RegisterTargets", url.Values{
		"TargetGroupArn":        {arn},
		"Targets.member.1.Id":   {id},
		"Targets.member.1.Port": {strconv.Itoa(int(port))},
	})
	return err
}

// do is a call that does not come over the wire.
func (s *Sim) do(p place, action string, form url.Values) (any, error) {
	now, unlock := s.lock()
	defer unlock()
	return s.execute(&call{
		sim: s, service: ServiceELBv2, action: action, region: p.region, form: form,
		who: identity{account: p.account, arn: "arn:aws:iam::" + p.account + ":root"},
	}, now)
}

// TargetGroupSeed is a target group to make.
type TargetGroupSeed struct {
	// Account and Region; empty means DefaultAccount and us-east-1.
	Account, Region string
	// Name, Protocol, Port, VPC and Type (default instance) as CreateTargetGroup
	// takes them. The VPC is made if it does not exist.
	Name, Protocol, VPC, Type string
	Port                      int32
	// Params are further parameters of CreateTargetGroup, such as
	// HealthCheckPort.
	Params map[string]string
	// Attributes and Tags to set.
	Attributes, Tags map[string]string
}

// SeedTargetGroup makes a target group under AWS's rules, without calls that are
// counted, and returns its ARN. Every call finds it at once.
func (s *Sim) SeedTargetGroup(seed TargetGroupSeed) (arn string, err error) {
	p := place{or(seed.Account, DefaultAccount), or(seed.Region, "us-east-1")}
	s.SeedVPC(p.account, p.region, seed.VPC)
	form := url.Values{
		"Name": {seed.Name}, "Protocol": {seed.Protocol}, "VpcId": {seed.VPC}, "Port": {strconv.Itoa(int(seed.Port))},
		"TargetType": {or(seed.Type, "instance")},
	}
	for k, v := range seed.Params {
		form.Set(k, v)
	}
	pairs(form, "Tags", seed.Tags)
	out, err := s.do(p, "CreateTargetGroup", form)
	if err != nil {
		return "", fmt.Errorf("cannot seed target group %q: %w", seed.Name, err)
	}
	groups, _ := out.(xmlGroups)
	arn = groups.TargetGroups.Member[0].TargetGroupArn
	s.change(func(now time.Time) { s.groupAt(arn).visible = now })
	if len(seed.Attributes) == 0 {
		return arn, nil
	}
	form = url.Values{"TargetGroupArn": {arn}}
	pairs(form, "Attributes", seed.Attributes)
	if _, err := s.do(p, "ModifyTargetGroupAttributes", form); err != nil {
		return "", fmt.Errorf("cannot seed attributes of target group %q: %w", seed.Name, err)
	}
	return arn, nil
}

// pairs writes a list of keys and values.
func pairs(form url.Values, name string, values map[string]string) {
	for i, k := range slices.Sorted(maps.Keys(values)) {
		prefix := name + ".member." + strconv.Itoa(i+1) + "."
		form.Set(prefix+"Key", k)
		form.Set(prefix+"Value", values[k])
	}
}

// TargetGroup is a target group as AWS has it.
type TargetGroup struct {
	ARN, Name, Protocol, VPC, Type string
	Port                           int32
	// Tags and all Attributes, defaults included.
	Tags, Attributes map[string]string
	// LoadBalancers that use it: at most one ARN.
	LoadBalancers []string
}

// TargetGroups returns the target groups of an account and region by name.
func (s *Sim) TargetGroups(account, region string) []TargetGroup {
	_, unlock := s.lock()
	defer unlock()
	var out []TargetGroup
	for _, g := range s.world(place{account, region}).groups {
		t := TargetGroup{
			ARN: g.arn, Name: g.settings.name, Protocol: g.settings.protocol, VPC: g.settings.vpc,
			Type: g.settings.targetType, Port: int32(g.settings.port),
			Tags: maps.Clone(g.tags), Attributes: map[string]string{}, LoadBalancers: g.loadBalancers(),
		}
		for _, a := range attributes {
			t.Attributes[a.key] = g.attribute(a.key)
		}
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b TargetGroup) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return out
}

// DeleteTargetGroup deletes a target group behind everybody's back, whatever
// uses it.
func (s *Sim) DeleteTargetGroup(arn string) {
	s.change(func(time.Time) {
		if g := s.groupAt(arn); g != nil {
			delete(s.world(g.place).groups, arn)
		}
	})
}
