package clusters

import (
	"slices"
	"time"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// relistedFor is how long it is remembered that a pod vanished in a re-list. The
// guard that asks for it lets go after 10 minutes (binding.md §5).
const relistedFor = time.Hour

// A subscription is one binding's interest, and what it comes to now.
type subscription struct {
	id     string
	query  Query
	notify func()
	// touched is used within one change.
	touched bool

	found found
	// pods that match, and the same in the order of views; nil when they changed.
	pods   map[objectKey]*pod
	sorted []*pod

	// since and former keep a binding's own pods from counting as strangers that
	// took their ports, when a selector or a label is edited: pods seen before
	// the subscription, or that matched once under it, never do. Former pods, by
	// UID, are also what tells a pod that is gone from one that is not selected.
	since  uint64
	former map[string]objectKey

	// registered targets as of the last view.
	registered []targets.Key
	relisted   map[targets.Key]time.Time

	// refused are the nodes that nodeSelector refuses, as of node generation refusedOf.
	refused   map[string]bool
	refusedOf uint64
}

func newSubscription(id string, q Query) *subscription {
	return &subscription{
		id:       id,
		query:    q,
		pods:     map[objectKey]*pod{},
		former:   map[string]objectKey{},
		relisted: map[targets.Key]time.Time{},
	}
}

func (s *subscription) matches(p *pod) bool {
	return s.found.selector != nil && p.Namespace == s.query.Namespace && s.found.selector.Matches(p.labels)
}

func (s *subscription) refuses(n *node) bool {
	return s.query.NodeSelector != nil && !s.query.NodeSelector.Matches(n.labels)
}

// match keeps p among the pods that match, if it does, and says whether it does
// or did.
func (s *subscription) match(p *pod) bool {
	was := s.pods[p.key()] != nil
	if s.matches(p) {
		s.pods[p.key()] = p
		s.sorted = nil
		return true
	}
	if was {
		s.unmatch(p)
		s.former[p.UID] = p.key()
	}
	return was
}

func (s *subscription) unmatch(p *pod) {
	delete(s.pods, p.key())
	s.sorted = nil
}

// subscriptions by whatever can concern them.
type subscriptions struct {
	byID        map[string]*subscription
	byNamespace map[string]map[*subscription]bool
	byService   map[objectKey]map[*subscription]bool
	byInstance  map[string]map[*subscription]bool
}

func newSubscriptions() subscriptions {
	return subscriptions{
		byID:        map[string]*subscription{},
		byNamespace: map[string]map[*subscription]bool{},
		byService:   map[objectKey]map[*subscription]bool{},
		byInstance:  map[string]map[*subscription]bool{},
	}
}

// add and remove index a subscription by its query.
func (all *subscriptions) add(s *subscription) {
	all.byID[s.id] = s
	insert(all.byNamespace, s.query.Namespace, s, true)
	if s.query.Service != "" {
		insert(all.byService, objectKey{s.query.Namespace, s.query.Service}, s, true)
	}
}

func (all *subscriptions) remove(s *subscription) {
	delete(all.byID, s.id)
	erase(all.byNamespace, s.query.Namespace, s)
	erase(all.byService, objectKey{s.query.Namespace, s.query.Service}, s)
}

// setRegistered indexes a subscription by the instances of its targets.
func (all *subscriptions) setRegistered(s *subscription, keys []targets.Key) {
	if slices.Equal(s.registered, keys) {
		return
	}
	for _, k := range s.registered {
		erase(all.byInstance, k.ID, s)
	}
	s.registered = slices.Clone(keys)
	for _, k := range keys {
		insert(all.byInstance, k.ID, s, true)
	}
}

// rematch looks through all pods of the namespace, after what selects changed.
func (c *Cluster) rematch(s *subscription) {
	for key, p := range s.pods {
		if key.namespace != s.query.Namespace {
			s.unmatch(p)
			s.former[p.UID] = key
		}
	}
	for _, p := range c.podTable.byNamespace[s.query.Namespace] {
		s.match(p)
	}
}

func (c *Cluster) putPod(p *pod, t *touched) {
	old := c.podTable.get(p.key())
	if old != nil && old.UID != p.UID {
		c.forget(old, false, t)
		old = nil
	}
	if old == nil {
		c.podTable.seq++
		p.seq = c.podTable.seq
	} else {
		p.seq = old.seq
		p.openedAs(old)
		if old.same(p) {
			return
		}
	}
	c.podTable.put(p)
	c.gates.note(p.key(), p, t)
	for sub := range c.subs.byNamespace[p.Namespace] {
		if sub.match(p) {
			t.add(sub)
			c.claimed(sub, p)
		} else if sub.knew(p) {
			t.add(sub) // it may be terminating now
		}
	}
	c.touchHolders(p, t)
}

// claimed forgets that a pod of a target vanished, now that there is another.
func (c *Cluster) claimed(sub *subscription, p *pod) {
	if len(sub.relisted) == 0 {
		return
	}
	for _, k := range c.claims(sub, p) {
		delete(sub.relisted, k)
	}
}

func (c *Cluster) dropPod(p *pod, t *touched) {
	if old := c.podTable.get(p.key()); old != nil {
		c.forget(old, false, t)
	}
}

// forget removes a pod. relisted says that it was missed in a re-list: nobody
// saw it being deleted.
func (c *Cluster) forget(p *pod, relisted bool, t *touched) {
	c.podTable.remove(p.key())
	c.touchHolders(p, t)
	c.gates.note(p.key(), nil, t)
	for sub := range c.subs.byNamespace[p.Namespace] {
		knew := sub.knew(p)
		delete(sub.former, p.UID)
		if sub.pods[p.key()] == nil && !knew {
			continue
		}
		sub.unmatch(p)
		t.add(sub)
		if relisted {
			for _, k := range c.claims(sub, p) {
				sub.relisted[k] = time.Now()
			}
		}
	}
}

func (c *Cluster) replacePods(all []*pod, t *touched) {
	seen := make(map[objectKey]string, len(all))
	for _, p := range all {
		seen[p.key()] = p.UID
	}
	var missed []*pod
	for _, pods := range c.podTable.byNamespace {
		for key, p := range pods {
			if seen[key] != p.UID {
				missed = append(missed, p)
			}
		}
	}
	for _, p := range missed {
		c.forget(p, true, t)
	}
	for _, p := range all {
		c.putPod(p, t)
	}
	if !c.podTable.listed {
		c.podTable.listed = true
		for _, sub := range c.subs.byID {
			sub.since = c.podTable.seq
		}
	}
}

// claims are the targets that a matching pod accounts for, under either target type.
func (c *Cluster) claims(sub *subscription, p *pod) []targets.Key {
	view := targets.View{Selection: c.selection(sub), Nodes: c.nodeTable.nodes(time.Now())}
	var keys []targets.Key
	for _, kind := range []targets.Type{targets.TypeInstance, targets.TypeIP} {
		group := targets.Group{Protocol: sub.query.GroupProtocol, Type: kind}
		if k, skip := view.Resolve(group, p.Pod); skip == nil {
			keys = append(keys, k)
		}
	}
	return keys
}

func (c *Cluster) selection(sub *subscription) targets.Selection {
	s := sub.found.selection
	s.HostPorts = c.hostPorts
	return s
}

// touchHolders touches the subscriptions that have a target on p's node at a port
// that p declares, or served once: it may have taken it, or given it back.
func (c *Cluster) touchHolders(p *pod, t *touched) {
	n := c.nodeTable.live[p.Node]
	if n == nil {
		return
	}
	for _, id := range append([]string{n.InstanceID}, n.Addresses...) {
		for sub := range c.subs.byInstance[id] {
			for _, k := range sub.registered {
				if k.ID == id && (sub.knew(p) || declares(p, n, k.Port, sub.query)) {
					t.add(sub)
					break
				}
			}
		}
	}
}
