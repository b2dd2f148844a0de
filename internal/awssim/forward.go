package awssim

import (
	"slices"
	"strconv"
	"strings"
)

// forward is what a default action or a rule's action does: it is the only one
// that Network Load Balancers know.
type forward struct {
	groups []weighted
	sticky bool
}

// weighted is a target group of a forward action.
type weighted struct {
	arn    string
	weight int
}

// maxForwards is how many target groups an action can have.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-limits.html
const maxForwards = 5

func (f forward) equal(o forward) bool {
	return f.sticky == o.sticky && slices.Equal(f.groups, o.groups)
}

func (f forward) arns() []string {
	var out []string
	for _, g := range f.groups {
		out = append(out, g.arn)
	}
	return out
}

func actionParams(list string) map[string]shape {
	p := list + ".member.N."
	out := map[string]shape{
		p + "Type":           oneOf("forward", "authenticate-oidc", "authenticate-cognito", "redirect", "fixed-response", "jwt-validation"),
		p + "TargetGroupArn": anyText(), p + "Order": number(1, 50000),
		p + "ForwardConfig.TargetGroups.member.N.TargetGroupArn":        anyText(),
		p + "ForwardConfig.TargetGroups.member.N.Weight":                number(0, 999),
		p + "ForwardConfig.TargetGroupStickinessConfig.Enabled":         trueOrFalse(),
		p + "ForwardConfig.TargetGroupStickinessConfig.DurationSeconds": number(1, 604800),
	}
	for _, f := range []string{"Protocol", "Port", "Host", "Path", "Query", "StatusCode"} {
		out[p+"RedirectConfig."+f] = anyText()
	}
	for _, f := range []string{"MessageBody", "StatusCode", "ContentType"} {
		out[p+"FixedResponseConfig."+f] = anyText()
	}
	return out
}

// readForward reads a list of actions: exactly one, and it forwards.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Action.html
func (c *call) readForward(list string) (forward, error) {
	items := c.items(list + ".member")
	switch {
	case len(items) == 0:
		return forward{}, invalid("At least one action must be specified")
	case len(items) > 1:
		return forward{}, refuse("TooManyActions", "Only one action is supported for load balancers with type 'network'")
	}
	p := items[0]
	config := p + "ForwardConfig."
	sticky := config + "TargetGroupStickinessConfig."
	f := forward{sticky: c.str(sticky+"Enabled") == "true"}
	switch kind := c.str(p + "Type"); {
	case kind == "":
		return f, missing(c.service, p+"Type")
	case kind != "forward":
		return f, refuse("InvalidLoadBalancerAction", "Action type '%s' is not supported for load balancers with type 'network'", kind)
	case c.has(sticky + "DurationSeconds"):
		return f, misconfigured("A stickiness duration is not supported for load balancers with type 'network'")
	}
	for _, item := range c.items(config + "TargetGroups.member") {
		g := weighted{c.str(item + "TargetGroupArn"), c.num(item+"Weight", 1)}
		if slices.Contains(f.arns(), g.arn) {
			return f, invalid("The target group '%s' is specified more than once", g.arn)
		}
		f.groups = append(f.groups, g)
	}
	switch arn := c.str(p + "TargetGroupArn"); {
	case arn == "" && len(f.groups) == 0:
		return f, invalid("A target group ARN must be specified")
	case arn == "":
	case len(f.groups) == 0:
		f.groups = []weighted{{arn, 1}}
	case len(f.groups) > 1 || f.groups[0].arn != arn:
		return f, invalid("You can specify both a target group ARN and a forward configuration only with the same target group")
	}
	if len(f.groups) > maxForwards {
		return f, refuse("InvalidLoadBalancerAction", "The maximum number of target groups per action is %d", maxForwards)
	}
	return f, nil
}

// compatible are the protocols of the target groups that a listener can forward
// to, by its own.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-listeners.html
var compatible = map[string][]string{
	"TCP": {"TCP", "TCP_UDP", "TCP_QUIC"}, "TLS": {"TCP", "TLS"}, "UDP": {"UDP", "TCP_UDP"}, "TCP_UDP": {"TCP_UDP"},
	"QUIC": {"QUIC", "TCP_QUIC"}, "TCP_QUIC": {"TCP_QUIC"},
}

// checkForward applies the rules of an action to a listener.
func (c *call) checkForward(l *listener, f forward) error {
	groups, err := c.groupsOf(f)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if err := c.checkGroup(l, g, f.sticky || len(groups) == 1); err != nil {
			return err
		}
		switch {
		// Both are documented for weighted target groups: facts/aws.md §1.5.
		case l.protocol == "TLS" && g.settings.protocol != groups[0].settings.protocol:
			return refuse("IncompatibleProtocols", "A TLS listener cannot forward to target groups with protocols TCP and TLS")
		case g.settings.addressType != groups[0].settings.addressType:
			return misconfigured("The target groups of an action must have the same IP address type")
		}
	}
	if l.protocol == "TLS" && f.sticky {
		return misconfigured("Target group stickiness is not supported for TLS listeners")
	}
	return c.checkAssociated(l.lb, groups)
}

func (c *call) groupsOf(f forward) ([]*targetGroup, error) {
	var out []*targetGroup
	for _, arn := range f.arns() {
		g, err := c.find(arn)
		if err != nil {
			return nil, err
		}
		if g == nil || c.now.Before(g.visible) {
			return nil, refuse("TargetGroupNotFound", "Target groups '%s' not found", arn)
		}
		out = append(out, g)
	}
	return out, nil
}

// checkGroup applies the rules of one target group; settled says that its own
// stickiness needs none of the action's. The message on protocols is quoted in
// hashicorp/terraform-provider-aws#4955.
func (c *call) checkGroup(l *listener, g *targetGroup, settled bool) error {
	sticky := g.attribute(stickiness) == "true"
	lbs := g.loadBalancers()
	switch {
	case !slices.Contains(compatible[l.protocol], g.settings.protocol):
		return refuse("IncompatibleProtocols", "The listener and its associated target group '%s' have incompatible protocols: '%s, %s'",
			g.arn, l.protocol, g.settings.protocol)
	case g.settings.vpc != l.lb.vpc:
		return misconfigured("The target group '%s' is not in the VPC '%s' of the load balancer", g.arn, l.lb.vpc)
	case len(lbs) > 0 && lbs[0] != l.lb.arn:
		return refuse("TargetGroupAssociationLimit",
			"The following target groups cannot be associated with more than one load balancer: %s", g.arn)
	case sticky && l.protocol == "TLS":
		return misconfigured("Stickiness is not supported for target groups of TLS listeners: '%s'", g.arn)
	case sticky && !settled:
		return misconfigured("Target group stickiness must be enabled because the target group '%s' has stickiness enabled", g.arn)
	}
	return nil
}

type xmlWeighted struct {
	TargetGroupArn string
	Weight         int
}

type xmlAction struct {
	Type           string
	TargetGroupArn string `xml:",omitempty"`
	Order          int
	ForwardConfig  struct {
		TargetGroups                members[xmlWeighted]
		TargetGroupStickinessConfig struct{ Enabled string }
	}
}

// list shows a single target group twice, as AWS does: on its own, and as a
// forward configuration. Its weight is 1 (assumed).
func (f forward) list() members[xmlAction] {
	x := xmlAction{Type: "forward", Order: 1}
	if len(f.groups) == 1 {
		x.TargetGroupArn = f.groups[0].arn
	}
	for _, g := range f.groups {
		x.ForwardConfig.TargetGroups.Member = append(x.ForwardConfig.TargetGroups.Member, xmlWeighted{g.arn, g.weight})
	}
	x.ForwardConfig.TargetGroupStickinessConfig.Enabled = strconv.FormatBool(f.sticky)
	return members[xmlAction]{[]xmlAction{x}}
}

// protocolNames for messages: 'TCP, TLS'.
func protocolNames() string { return strings.Join(networkProtocols, ", ") }
