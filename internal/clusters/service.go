package clusters

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// A service is a Service trimmed to what selects pods.
type service struct {
	key      objectKey
	external bool
	selector map[string]string
	ports    []servicePort
}

type servicePort struct {
	name     string
	protocol targets.Protocol
	port     int32
	target   intstr.IntOrString
}

func (p servicePort) String() string {
	if p.name == "" {
		return fmt.Sprintf("%d/%s", p.port, p.protocol)
	}
	return fmt.Sprintf("%s (%d/%s)", p.name, p.port, p.protocol)
}

func trimService(obj any) *service {
	in, ok := obj.(*corev1.Service)
	if !ok {
		return nil
	}
	out := &service{
		key:      objectKey{in.Namespace, in.Name},
		external: in.Spec.Type == corev1.ServiceTypeExternalName,
		selector: in.Spec.Selector,
	}
	for _, p := range in.Spec.Ports {
		protocol, ok := trimProtocol(p.Protocol)
		if !ok {
			continue
		}
		target := p.TargetPort
		if target == (intstr.IntOrString{}) {
			target = intstr.FromInt32(p.Port)
		}
		out.ports = append(out.ports, servicePort{p.Name, protocol, p.Port, target})
	}
	return out
}

// found is what a query comes to.
type found struct {
	// missing says why it selects nothing by itself; then there is no selector.
	missing   string
	selector  labels.Selector
	selection targets.Selection
}

// resolve turns a query and the Service that it names (nil if there is none) into
// a selector of pods and a port of theirs. publishNotReadyAddresses and the
// nodePort have no part in it.
func resolve(q Query, s *service) found {
	switch {
	case q.Service == "" && q.PodSelector == nil:
		return found{missing: "the binding names neither a Service nor a pod selector"}
	case q.Service == "":
		return found{selector: q.PodSelector, selection: selectionOf(q.Port)}
	case s == nil:
		return found{missing: fmt.Sprintf("Service %s/%s does not exist", q.Namespace, q.Service)}
	case s.external:
		return found{missing: fmt.Sprintf("Service %s/%s is of type ExternalName and selects no pods", q.Namespace, q.Service)}
	case len(s.selector) == 0:
		return found{missing: fmt.Sprintf("Service %s/%s has no selector", q.Namespace, q.Service)}
	}
	target, missing := targetPort(q, s)
	if missing != "" {
		return found{missing: missing}
	}
	return found{selector: labels.Set(s.selector).AsSelectorPreValidated(), selection: selectionOf(target)}
}

func selectionOf(port intstr.IntOrString) targets.Selection {
	if port.Type == intstr.Int {
		return targets.Selection{Port: port.IntVal}
	}
	return targets.Selection{PortName: port.StrVal}
}

// targetPort finds the port of the Service that the query names and that fits the
// target group's protocol. Ports for TCP and UDP may share a number (53), and
// then must lead to the same place unless the protocol chooses between them.
func targetPort(q Query, s *service) (intstr.IntOrString, string) {
	var named, fit []servicePort
	for _, p := range s.ports {
		if (q.Port.Type == intstr.Int && p.port == q.Port.IntVal) || (q.Port.Type == intstr.String && p.name == q.Port.StrVal) {
			named = append(named, p)
			if q.fits(p.protocol) {
				fit = append(fit, p)
			}
		}
	}
	name := fmt.Sprintf("Service %s/%s", q.Namespace, q.Service)
	switch {
	case len(named) == 0:
		return intstr.IntOrString{}, fmt.Sprintf("%s has no port %s; it has %s", name, q.Port.String(), list(s.ports))
	case len(fit) == 0:
		return intstr.IntOrString{}, fmt.Sprintf("%s has port %s, which does not fit the target group's protocol %s", name, list(named), q.GroupProtocol)
	}
	for _, p := range fit[1:] {
		if p.target != fit[0].target {
			return intstr.IntOrString{}, fmt.Sprintf("%s has ports %s, which lead to different ports of the pods; choose one by its name", name, list(fit))
		}
	}
	return fit[0].target, ""
}

func list(ports []servicePort) string {
	if len(ports) == 0 {
		return "none"
	}
	names := make([]string, 0, len(ports))
	for _, p := range ports {
		names = append(names, p.String())
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// serviceOf returns the Service that a query names, nil if there is none.
func (c *Cluster) serviceOf(q Query) *service {
	return c.serviceTable[objectKey{q.Namespace, q.Service}]
}

func (c *Cluster) putService(s *service, t *touched) {
	if old := c.serviceTable[s.key]; old != nil && reflect.DeepEqual(old, s) {
		return
	}
	c.serviceTable[s.key] = s
	c.resolveAgain(s.key, t)
}

func (c *Cluster) dropService(s *service, t *touched) {
	delete(c.serviceTable, s.key)
	c.resolveAgain(s.key, t)
}

func (c *Cluster) replaceServices(all []*service, t *touched) {
	seen := make(map[objectKey]bool, len(all))
	for _, s := range all {
		seen[s.key] = true
		c.putService(s, t)
	}
	for key, s := range c.serviceTable {
		if !seen[key] {
			c.dropService(s, t)
		}
	}
}

// resolveAgain is called when a Service changed.
func (c *Cluster) resolveAgain(key objectKey, t *touched) {
	for sub := range c.subs.byService[key] {
		sub.found = resolve(sub.query, c.serviceTable[key])
		c.rematch(sub)
		t.add(sub)
	}
}
