package listener

import (
	"maps"
	"slices"
	"strconv"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// The only attribute, and its default.
// Source: ELBv2 API reference, ListenerAttribute.
const keyIdleTimeout = "tcp.idle_timeout.seconds"

var defaults = map[string]string{keyIdleTimeout: "350"}

// defaultPolicy is AWS's for a TLS listener that is created without one. A listener
// that becomes one needs it said.
const defaultPolicy = "ELBSecurityPolicy-2016-08"

// A state is what is compared, besides certificates, rules, attributes and tags.
// The load balancer cannot be changed in AWS.
type state struct {
	loadBalancer string

	port                                int32
	protocol, certificate, policy, alpn string
	forward                             forward
}

// have is the state in AWS.
func have(l types.Listener) state {
	s := state{
		loadBalancer: sdk.ToString(l.LoadBalancerArn), port: sdk.ToInt32(l.Port), protocol: string(l.Protocol),
		policy: sdk.ToString(l.SslPolicy), alpn: "None", forward: haveForward(l.DefaultActions),
	}
	if len(l.AlpnPolicy) > 0 {
		s.alpn = l.AlpnPolicy[0]
	}

	if len(l.Certificates) > 0 {
		s.certificate = sdk.ToString(l.Certificates[0].CertificateArn)
	}

	return s
}

// want is the state that is declared. What is not declared is as it is.
func want(p *v1alpha1.ListenerParameters, w wanted, s state) state {
	was := s.protocol

	if w.loadBalancer != "" {
		s.loadBalancer = w.loadBalancer
	}
	declare(&s.port, p.Port)
	declare(&s.protocol, p.Protocol)

	if p.Forward != nil {
		s.forward = forwardOf(w.forward, p.Forward, s.forward)
	}

	if s.protocol != string(types.ProtocolEnumTls) {
		s.certificate, s.policy, s.alpn = "", "", "None"

		return s
	}

	if was != s.protocol {
		s.policy = defaultPolicy
	}

	declare(&s.policy, p.SSLPolicy)
	declare(&s.alpn, p.ALPNPolicy)

	if len(p.CertificateARNs) > 0 {
		s.certificate = p.CertificateARNs[0]
	}

	return s
}

// wantedAttributes are those that the spec declares, as AWS writes them.
func wantedAttributes(p *v1alpha1.ListenerParameters) map[string]string {
	if p.TCPIdleTimeoutSeconds == nil {
		return nil
	}

	return map[string]string{keyIdleTimeout: strconv.Itoa(int(*p.TCPIdleTimeoutSeconds))}
}

// A change is what makes a listener what it should be.
type change struct {
	tags         controller.TagChange
	want         state
	differences  []controller.Difference
	certificates setChange[string]
	attributes   controller.AttributeChange
	rules        ruleChange
	// have are the attributes in AWS, and attributeKeys those to remember as ours.
	have          map[string]string
	attributeKeys []string
}

// plan decides what to change of the listener itself.
func plan(want, have state) []controller.Difference {
	d := controller.Differ(nil, "port", have.port, want.port)
	d = controller.Differ(d, "protocol", have.protocol, want.protocol)
	d = controller.Differ(d, "certificateArns[0]", have.certificate, want.certificate)
	d = controller.Differ(d, "sslPolicy", have.policy, want.policy)
	d = controller.Differ(d, "alpnPolicy", have.alpn, want.alpn)

	return controller.Differ(d, "forward", have.forward.String(), want.forward.String())
}

func (c change) none() bool {
	return len(c.differences) == 0 && c.certificates.none() && c.attributes.None() && c.rules.none() && c.tags.None()
}

// everyTag is what changes of the tags of the listener and of its rules, which have
// the same.
func (c change) everyTag() controller.TagChange {
	all := controller.TagChange{Remove: slices.Clone(c.tags.Remove)}
	for _, t := range c.rules.tags {
		all.Remove = append(all.Remove, t.change.Remove...)
	}

	slices.Sort(all.Remove)
	all.Remove = slices.Compact(all.Remove)

	return all
}

// String says what differs, in a fixed order.
func (c change) String() string {
	d := slices.Clone(c.differences)
	for _, arn := range c.certificates.add {
		d = append(d, controller.Difference{Field: "certificateArns", Want: arn})
	}

	for _, arn := range c.certificates.remove {
		d = append(d, controller.Difference{Field: "certificateArns", Have: arn})
	}

	return controller.Describe(append(d, c.rules.differences()...), c.attributes.Changes(c.have), c.tags)
}

// A setChange is what to add to and remove from a set. managed is what to remember
// as ours.
type setChange[T comparable] struct{ add, remove, managed []T }

func (c setChange[T]) none() bool { return len(c.add)+len(c.remove) == 0 }

// changeCertificates decides on those besides the default one, which AWS keeps
// apart. Certificates of others stay.
func changeCertificates(want state, declared, have, managed []string) setChange[string] {
	var c setChange[string]

	if want.protocol != string(types.ProtocolEnumTls) {
		// They go with the protocol.
		return c
	}

	wanted := map[string]bool{}
	for _, arn := range declared[min(1, len(declared)):] {
		wanted[arn] = true

		if !slices.Contains(have, arn) {
			c.add = append(c.add, arn)
		}
	}

	c.managed = slices.Collect(maps.Keys(wanted))

	for _, arn := range managed {
		if wanted[arn] || !slices.Contains(have, arn) {
			continue
		}

		c.managed = append(c.managed, arn)

		// It has become the default one, which AWS does not remove.
		if arn != want.certificate {
			c.remove = append(c.remove, arn)
		}
	}

	slices.Sort(c.managed)

	return c
}
