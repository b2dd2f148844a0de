package clusters

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// View returns what Kubernetes says about the binding id now. registered are the
// targets of its group that AWS is known to have; changes on their instances
// wake the binding from now on. The view is the caller's to read, not to change:
// its nodes are shared with other views.
func (c *Cluster) View(id string, registered []targets.Key) targets.View {
	c.mu.Lock()
	defer c.mu.Unlock()
	sub := c.subs.byID[id]
	if sub == nil {
		return targets.View{Incomplete: "the binding is not observed yet", Nodes: indexNodes(nil)}
	}
	now := time.Now()
	c.subs.setRegistered(sub, registered)
	v := targets.View{
		Incomplete: c.incomplete(sub, now),
		Selection:  c.selection(sub),
		Pods:       sub.view(),
		Nodes:      c.nodeTable.nodes(now),
	}
	v.NodeRefused = c.refused(sub)
	v.Relisted = sub.vanished(now)
	v.Deselected = c.deselected(sub)
	// While what selects the pods is unknown, so is who is a stranger.
	if v.Incomplete == "" {
		v.Missing = sub.found.missing
		if v.Missing == "" {
			v.Occupied, v.Unselected = c.onPorts(sub)
		}
	}
	return v
}

// view returns the matching pods in order. They are copied for each view: most of the
// time nobody has one.
func (s *subscription) view() []targets.Pod {
	if s.sorted == nil {
		s.sorted = slices.SortedFunc(maps.Values(s.pods), func(a, b *pod) int { return byName(a.PodRef, b.PodRef) })
	}
	pods := make([]targets.Pod, 0, len(s.sorted))
	for _, p := range s.sorted {
		pods = append(pods, p.Pod)
	}
	return pods
}

func byName(a, b targets.PodRef) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// refused names the nodes that nodeSelector refuses, remembered ones included.
func (c *Cluster) refused(s *subscription) map[string]bool {
	if s.query.NodeSelector == nil {
		return nil
	}
	if s.refusedOf == c.nodeTable.generation {
		return s.refused
	}
	s.refused, s.refusedOf = map[string]bool{}, c.nodeTable.generation
	for _, n := range c.nodeTable.gone {
		if c.nodeTable.live[n.Name] == nil && s.refuses(n) {
			s.refused[n.Name] = true
		}
	}
	for name, n := range c.nodeTable.live {
		if s.refuses(n) {
			s.refused[name] = true
		}
	}
	return s.refused
}

// vanished are the targets whose pods were missed in a re-list.
func (s *subscription) vanished(now time.Time) map[targets.Key]bool {
	var out map[targets.Key]bool
	for k, at := range s.relisted {
		if now.Sub(at) >= relistedFor {
			delete(s.relisted, k)
			continue
		}
		if out == nil {
			out = map[targets.Key]bool{}
		}
		out[k] = true
	}
	return out
}

// onPorts names pods that do not match on the ports of targets which no matching pod
// accounts for: strangers that own the port, and pods that an edit of the selection
// or of their labels took away. The latter are told also where matching pods are there
// and none of them goes on: by the same edit they may have come to a port that they
// never served on.
//
// The first is evidence against a target under every policy, so it must not be made
// by an edit: pods which existed before the subscription, or which once matched
// it, are not strangers. A takeover while the provider was not running is then
// left to the other rules.
func (c *Cluster) onPorts(sub *subscription) (occupied map[targets.Key]targets.PodRef, unselected map[targets.Key]targets.Pod) {
	if len(sub.registered) == 0 || sub.query.GroupProtocol == "" {
		return nil, nil // without the protocol it is not known what a pod accounts for
	}
	claimed, kept := map[targets.Key]bool{}, map[targets.Key]bool{}
	for _, p := range sub.pods {
		for _, k := range c.claims(sub, p) {
			claimed[k] = true
			kept[k] = kept[k] || goesOn(p)
		}
	}
	occupied, unselected = map[targets.Key]targets.PodRef{}, map[targets.Key]targets.Pod{}
	left := map[targets.Key]*pod{}
	nodes := c.nodeTable.nodes(time.Now())
	for _, k := range sub.registered {
		n := c.holder(nodes, k)
		if kept[k] || n == nil {
			continue
		}
		for _, p := range c.podTable.byNode[n.Name] {
			switch {
			case sub.pods[p.key()] != nil:
			case !c.stranger(sub, p):
				if was, ok := left[k]; sub.left(p, n, k.Port) && (!ok || before(p, was, n, k.Port, sub.query)) {
					left[k] = p
				}
			case !claimed[k] && n.InstanceID == k.ID && occupies(p, n, k.Port, sub.query):
				if was, ok := occupied[k]; !ok || byName(p.PodRef, was) < 0 {
					occupied[k] = p.PodRef
				}
			}
		}
	}
	for k, p := range left {
		unselected[k] = p.Pod
	}
	return nilIfEmpty(occupied), nilIfEmpty(unselected)
}

// before: of two that may serve on a port, the one that declares it is the likelier.
func before(p, other *pod, n *node, port int32, q Query) bool {
	if mine, its := declares(p, n, port, q), declares(other, n, port, q); mine != its {
		return mine
	}
	return byName(p.PodRef, other.PodRef) < 0
}

// holder is the node that a target is on, if it is there.
func (c *Cluster) holder(nodes *targets.Nodes, k targets.Key) *node {
	on := nodes.ByInstance[k.ID]
	if on == nil {
		on = nodes.ByAddress[k.ID]
	}
	if on == nil {
		return nil
	}
	n := c.nodeTable.live[on.Name]
	if n == nil || n.InstanceID != k.ID && !slices.Contains(n.Addresses, k.ID) {
		return nil
	}
	return n
}

func nilIfEmpty[K comparable, V any](m map[K]V) map[K]V {
	if len(m) == 0 {
		return nil
	}
	return m
}

// left says that a pod which does not match may serve on a port of its node: it
// matched once, or it declares the port. It runs, or is about to stop.
func (s *subscription) left(p *pod, n *node, port int32) bool {
	return p.Phase == "Running" && (s.knew(p) || declares(p, n, port, s.query))
}

func (c *Cluster) stranger(sub *subscription, p *pod) bool {
	return p.seq > sub.since && !sub.knew(p) && sub.pods[p.key()] == nil
}

// knew says that a pod matched once and does not any more.
func (s *subscription) knew(p *pod) bool {
	_, former := s.former[p.UID]
	return former
}

// deselected are UIDs of pods that matched once and are still there: neither
// over nor terminating. Their absence from the selection is no evidence that
// their processes ended.
func (c *Cluster) deselected(sub *subscription) map[string]bool {
	var out map[string]bool
	for uid, key := range sub.former {
		p := c.podTable.get(key)
		if p == nil || p.UID != uid {
			delete(sub.former, uid) // a pod of a namespace that was selected before
			continue
		}
		if sub.pods[key] != nil || !goesOn(p) {
			continue
		}
		if out == nil {
			out = map[string]bool{}
		}
		out[uid] = true
	}
	return out
}

// goesOn: it is neither over nor on its way out.
func goesOn(p *pod) bool { return !p.Terminating && p.Phase != "Failed" && p.Phase != "Succeeded" }

// occupies says that a pod on node n runs, is not about to stop, and declares the
// port.
func occupies(p *pod, n *node, port int32, q Query) bool {
	return p.Phase == "Running" && !p.Terminating && declares(p, n, port, q)
}

// declares says that a pod on node n declares a port
//   - of a protocol that the query's group forwards,
//   - which is that host port, on an address of the node.
func declares(p *pod, n *node, port int32, q Query) bool {
	for _, declared := range p.Ports {
		if !q.fits(declared.Protocol) {
			continue
		}
		if p.HostNetwork && declared.Container == port {
			return true
		}
		if !p.HostNetwork && declared.Host == port && reaches(declared.HostIP, n) {
			return true
		}
	}
	return false
}

// reaches says that a hostIP is an address of the node that others can reach.
func reaches(hostIP string, n *node) bool {
	switch hostIP {
	case "", "0.0.0.0", "::":
		return true
	default:
		return slices.Contains(n.Addresses, hostIP)
	}
}
