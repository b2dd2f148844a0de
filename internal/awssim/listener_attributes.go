package awssim

import "strings"

// idleTimeout is the only attribute of a Network Load Balancer's listener.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ListenerAttribute.html
const (
	idleTimeout        = "tcp.idle_timeout.seconds"
	defaultIdleTimeout = "350"
)

func listenerAttributeActions() map[string]action {
	return map[string]action{
		"DescribeListenerAttributes": {
			bucket: nonMutating, params: map[string]shape{"ListenerArn": anyText()},
			required: []string{"ListenerArn"}, run: describeListenerAttributes,
		},
		"ModifyListenerAttributes": {
			bucket: mutating, params: attributeParams("ListenerArn"),
			required: []string{"ListenerArn", "Attributes"}, run: modifyListenerAttributes,
		},
	}
}

// timed says whether the listener's idle timeout can be set: TLS has 350 seconds
// and UDP 120, both fixed. That TCP_UDP is as TCP is assumed.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/update-idle-timeout.html
func (l *listener) timed() bool { return l.protocol == "TCP" || l.protocol == "TCP_UDP" }

func (l *listener) listAttributes() xmlAttributes {
	var out xmlAttributes
	if l.timed() {
		out.Attributes.Member = []xmlTag{{idleTimeout, or(l.idleTimeout, defaultIdleTimeout)}}
	}
	return out
}

func describeListenerAttributes(c *call) (any, error) {
	l, err := c.listener()
	if err != nil {
		return nil, err
	}
	return l.listAttributes(), nil
}

func modifyListenerAttributes(c *call) (any, error) {
	l, err := c.listener()
	if err != nil {
		return nil, err
	}
	given, err := c.readAttributes("Listener")
	if err != nil {
		return nil, err
	}
	for _, a := range given {
		switch {
		case strings.HasPrefix(a.Key, "routing.http.") || a.Key == "send_tcp_reset.on_idle_timeout.enabled":
			return nil, misconfigured("Listener attribute key '%s' is not supported on load balancers with type 'network'", a.Key)
		case a.Key != idleTimeout:
			return nil, invalid("Listener attribute key '%s' is not recognized", a.Key)
		case !l.timed():
			return nil, misconfigured("Listener attribute key '%s' is not supported on %s listeners", a.Key, l.protocol)
		case !within(60, 6000)(a.Value):
			return nil, invalid("'%s' is not a valid value for listener attribute '%s'", a.Value, a.Key)
		}
	}
	l.idleTimeout = given[0].Value
	return l.listAttributes(), nil
}
