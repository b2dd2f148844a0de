package clusters

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// A Query says which pods a binding selects, and which of their ports.
type Query struct {
	// Namespace in which pods and the Service are looked for.
	Namespace string
	// Service selects the pods, unless PodSelector does: exactly one is set.
	Service     string
	PodSelector labels.Selector
	// Port is a port of the Service, by number or name; with PodSelector it is
	// the number of the host port or the name of a container port.
	Port intstr.IntOrString
	// NodeSelector narrows the nodes; nil refuses none.
	NodeSelector labels.Selector
	// GroupProtocol is the target group's protocol. It decides which of a
	// pod's or Service's ports fit. Empty, when it is not known yet, takes all.
	GroupProtocol string
}

// String is equal for queries that select the same.
func (q Query) String() string {
	text := func(s labels.Selector) string {
		if s == nil {
			return "-"
		}
		return fmt.Sprintf("%q", s.String())
	}
	return fmt.Sprintf("%q service %q pods %s port %d/%q nodes %s protocol %q",
		q.Namespace, q.Service, text(q.PodSelector), q.Port.Type, q.Port.String(), text(q.NodeSelector), q.GroupProtocol)
}

// protocols are those of a pod's ports that fit a target group's protocol.
func protocols(group string) []targets.Protocol {
	switch group {
	case "TCP", "TLS":
		return []targets.Protocol{targets.ProtocolTCP}
	case "UDP", "QUIC":
		return []targets.Protocol{targets.ProtocolUDP}
	default: // TCP_UDP, TCP_QUIC, and not known yet
		return []targets.Protocol{targets.ProtocolTCP, targets.ProtocolUDP}
	}
}

func (q Query) fits(p targets.Protocol) bool {
	return slices.Contains(protocols(q.GroupProtocol), p)
}
