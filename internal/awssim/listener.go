package awssim

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// listener is a listener of a Network Load Balancer.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Listener.html
type listener struct {
	arn string
	lb  *loadBalancer
	listenerSettings
	// certificates are those besides the default one.
	certificates []string
	// idleTimeout is the attribute that a TCP listener has; empty is the default.
	idleTimeout string
	tags        map[string]string
	// visible is when calls other than CreateListener find it.
	visible time.Time
	rules   map[string]*rule // by ARN
	// defaultRule is the ARN of the rule that stands for the default actions.
	defaultRule string
}

// listenerSettings are what CreateListener compares to tell whether it has been
// asked for the same listener again.
type listenerSettings struct {
	protocol string
	port     int
	forward  forward
	// certificate is the default one; alpn is empty while nobody has set one.
	certificate, policy, alpn string
}

func (s listenerSettings) equal(o listenerSettings) bool {
	return s.protocol == o.protocol && s.port == o.port && s.certificate == o.certificate && s.policy == o.policy &&
		s.alpn == o.alpn && s.forward.equal(o.forward)
}

func listenerParams() map[string]shape {
	out := actionParams("DefaultActions")
	maps.Copy(out, map[string]shape{
		"Protocol": oneOf(protocols...), "Port": number(1, 65535), "SslPolicy": anyText(), "AlpnPolicy.member.N": anyText(),
		"Certificates.member.N.CertificateArn": anyText(), "Certificates.member.N.IsDefault": trueOrFalse(),
		"MutualAuthentication.Mode": anyText(), "MutualAuthentication.TrustStoreArn": anyText(),
		"MutualAuthentication.IgnoreClientCertificateExpiry": trueOrFalse(),
	})
	return out
}

func listenerActions() map[string]action {
	create, modify := listenerParams(), listenerParams()
	maps.Copy(create, map[string]shape{
		"LoadBalancerArn": anyText(), "Tags.member.N.Key": tagKey(), "Tags.member.N.Value": tagValue(),
	})
	modify["ListenerArn"] = anyText()
	return map[string]action{
		"CreateListener": {
			bucket: mutating, params: create, required: []string{"LoadBalancerArn", "DefaultActions"}, run: createListener,
		},
		"ModifyListener": {bucket: mutating, params: modify, required: []string{"ListenerArn"}, run: modifyListener},
		"DeleteListener": {
			bucket: mutating, params: map[string]shape{"ListenerArn": anyText()}, required: []string{"ListenerArn"}, run: deleteListener,
		},
		"DescribeListeners": {
			bucket: nonMutating,
			params: map[string]shape{
				"LoadBalancerArn": anyText(), "ListenerArns.member.N": anyText(), "Marker": anyText(), "PageSize": number(1, 400),
			},
			run: describeListeners,
		},
	}
}

// createListener: a repeated call with the same settings returns the listener
// that exists; tags are no settings (assumed, as for target groups).
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html
func createListener(c *call) (any, error) {
	lb, err := c.loadBalancer()
	if err != nil {
		return nil, err
	}
	l := &listener{lb: lb, rules: map[string]*rule{}}
	if l.listenerSettings, err = c.readListener(listenerSettings{}); err != nil {
		return nil, err
	}
	if l.tags, err = c.readTags(nil); err != nil {
		return nil, err
	}
	if other := lb.on(l.port); other != nil {
		if !other.equal(l.listenerSettings) {
			return nil, refuse("DuplicateListener", "A listener already exists on this port for this load balancer '%s'", lb.arn)
		}
		return listenerList(other), nil
	}
	if err := c.checkListener(l); err != nil {
		return nil, err
	}
	if err := c.checkCertificates(l); err != nil {
		return nil, err
	}
	if len(lb.listeners) >= c.sim.opts.Quotas.ListenersPerLoadBalancer {
		return nil, refuse("TooManyListeners", "The maximum number of listeners has been reached on load balancer '%s'", lb.arn)
	}
	l.arn = strings.Replace(lb.arn, ":loadbalancer/", ":listener/", 1) + "/" + c.sim.unique(16)
	l.defaultRule = l.ruleARN(c.sim.unique(16))
	l.visible = c.now.Add(c.sim.profile.ListenerLag.pick(l.arn))
	lb.listeners[l.arn] = l
	c.world().relink()
	return listenerList(l), nil
}

// on is the listener of a port, whatever its protocol.
func (lb *loadBalancer) on(port int) *listener {
	for _, l := range lb.listeners {
		if l.port == port {
			return l
		}
	}
	return nil
}

// speaks says whether one of the listeners has a protocol.
func (lb *loadBalancer) speaks(protocol string) bool {
	for _, l := range lb.listeners {
		if l.protocol == protocol {
			return true
		}
	}
	return false
}

// modifyListener: the message on the port is quoted in hashicorp/terraform#26407.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyListener.html
func modifyListener(c *call) (any, error) {
	l, err := c.listener()
	if err != nil {
		return nil, err
	}
	after := *l
	if after.listenerSettings, err = c.readListener(l.listenerSettings); err != nil {
		return nil, err
	}
	if after.protocol != "TLS" {
		after.certificates = nil
	}
	if other := l.lb.on(after.port); other != nil && other != l {
		return nil, invalid("Listener port '%d' is already in use", after.port)
	}
	if err := c.checkListener(&after); err != nil {
		return nil, err
	}
	if err := c.checkCertificates(&after); err != nil {
		return nil, err
	}
	l.listenerSettings, l.certificates = after.listenerSettings, after.certificates
	c.world().relink()
	return listenerList(l), nil
}

// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteListener.html
func deleteListener(c *call) (any, error) {
	l, err := c.listener()
	if err != nil {
		return nil, err
	}
	delete(l.lb.listeners, l.arn)
	c.world().relink()
	return empty{}, nil
}

// describeListeners wants a load balancer or listeners; one unknown ARN fails
// the whole call.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeListeners.html
func describeListeners(c *call) (any, error) {
	arns, lbARN := c.list("ListenerArns.member"), c.str("LoadBalancerArn")
	if (lbARN == "") == (len(arns) == 0) {
		return nil, invalid("You must specify either listener ARNs or a load balancer ARN")
	}
	var found []*listener
	for _, arn := range unrepeated(arns) {
		l, err := c.findListener(arn)
		if err != nil {
			return nil, err
		}
		found = append(found, l)
	}
	if lbARN != "" {
		lb, err := c.loadBalancer()
		if err != nil {
			return nil, err
		}
		for _, arn := range slices.Sorted(maps.Keys(lb.listeners)) {
			if l := lb.listeners[arn]; !c.now.Before(l.visible) {
				found = append(found, l)
			}
		}
	}
	page, next, err := pageOf(found, func(l *listener) string { return l.arn }, c.str("Marker"), c.num("PageSize", 400))
	if err != nil {
		return nil, err
	}
	out := listenerList(page...)
	out.NextMarker = next
	return out, nil
}

var listenerARN = regexp.MustCompile(`^arn:[a-z-]+:elasticloadbalancing:([a-z0-9-]+):(\d{12}):listener/(?:app|net|gwy)/[A-Za-z0-9-]+/[0-9a-f]{16}/[0-9a-f]{16}$`)

func (c *call) findListener(arn string) (*listener, error) {
	if err := c.own(listenerARN, arn, "listener"); err != nil {
		return nil, err
	}
	for _, lb := range c.world().loadBalancers {
		if l := lb.listeners[arn]; l != nil && !c.now.Before(l.visible) {
			return l, nil
		}
	}
	return nil, refuse("ListenerNotFound", "One or more listeners not found")
}

// listener returns the listener that the call names.
func (c *call) listener() (*listener, error) { return c.findListener(c.str("ListenerArn")) }

// relink works out which listeners and rules forward to which group.
func (w *world) relink() {
	for _, g := range w.groups {
		g.forwards = nil
	}
	for _, lb := range w.loadBalancers {
		for _, l := range lb.listeners {
			for _, f := range l.actions() {
				w.link(lb, l, f)
			}
		}
	}
}

// link notes at an action's target groups that it forwards to them.
func (w *world) link(lb *loadBalancer, l *listener, f forward) {
	use := Listener{
		LoadBalancerARN: lb.arn, Zones: lb.enabled(), CrossZone: lb.attribute(lbCrossZone) == "true", shifted: lb.shifted,
		tls: l.protocol == "TLS", unstuck: len(f.groups) > 1 && !f.sticky,
	}
	for _, arn := range f.arns() {
		if g := w.groups[arn]; g != nil {
			g.forwards = append(g.forwards, &use)
		}
	}
}

// actions are the default action and those of the rules.
func (l *listener) actions() []forward {
	out := []forward{l.forward}
	for _, r := range l.rules {
		out = append(out, r.forward)
	}
	return out
}

// groups are the ARNs of all target groups that the listener forwards to.
func (l *listener) groups() []string {
	var out []string
	for _, f := range l.actions() {
		out = append(out, f.arns()...)
	}
	return out
}

func (l *listener) ruleARN(id string) string {
	return fmt.Sprintf("%s/%s", strings.Replace(l.arn, ":listener/", ":listener-rule/", 1), id)
}
