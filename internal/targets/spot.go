package targets

import (
	"cmp"
	"maps"
	"slices"
)

// spot is one target with all that is known of it: what AWS says, the pods that
// make it, the node that it is on, and what the last plan remembered.
type spot struct {
	Key
	target Target
	zone   string
	// node is the zero value, class NodeStays, if known is false.
	node  Node
	known bool
	// pods that make this target, whatever their state; those whose phase is
	// Failed or Succeeded are gone and not among them.
	pods []Pod
	// claim is the last plan's, claimed says that there is one.
	claim   Claim
	claimed bool
	// ours (binding.md §6); a sibling's or a foreign target is not.
	ours, sibling bool
}

// registered: AWS may hold it. A target in doubt is, for all but registering.
func (s *spot) registered() bool {
	return s.target.Presence == Registered || s.target.Presence == Unknown
}

// healthy as AWS sees it.
func (s *spot) healthy() bool {
	return s.target.Presence == Registered && s.target.Health == HealthHealthy
}

// obscure: it may be as healthy as it was before, and AWS does not say so: for an
// error of its own, or since it calls all of them unhealthy and sends to all.
func (w *world) obscure(s *spot) bool {
	h := s.target.Health
	return s.target.Presence == Registered && (h == HealthUnavailable || w.failsOpen && h == HealthUnhealthy)
}

// doubtful: of some target that was healthy it is not known whether it is. No budget
// is reckoned then.
func (w *world) doubtful() bool {
	return slices.ContainsFunc(w.spots, func(s *spot) bool { return s.healthy() && s.target.Stale })
}

// maybeHealthy: it is, or nobody knows. One whose first checks run may have passed
// them since the read.
func (s *spot) maybeHealthy() bool {
	h := s.target.Health
	checked := h == HealthInitial && s.target.Reason == reasonChecking
	return s.registered() && (h == HealthHealthy || h == HealthUnread || h == HealthUnavailable || checked || s.target.Stale)
}

// reasonChecking is AWS's reason for a target whose first health checks run.
const reasonChecking = "Elb.InitialHealthChecking"

// dead: the instance is stopped or terminated, so no process can serve there.
func (s *spot) dead() bool {
	return s.target.Health == HealthUnused && s.target.Reason == "Target.InvalidState"
}

// pod is the one to name in changes: a ready one, else one that stays, else any.
func (s *spot) pod() PodRef {
	for _, accept := range []func(Pod) bool{serves, stays, func(Pod) bool { return true }} {
		if i := slices.IndexFunc(s.pods, accept); i >= 0 {
			return s.pods[i].PodRef
		}
	}
	return s.claim.Pod
}

// over: the pod has ended and will not run again.
func over(p Pod) bool { return p.Phase == "Failed" || p.Phase == "Succeeded" }

// ready: Running, its containers ready, and not terminating.
func ready(p Pod) bool { return p.Phase == "Running" && p.ContainersReady && !p.Terminating }

// stays: there, in whatever state, and neither going nor taken out by hand.
func stays(p Pod) bool { return !p.Terminating && !p.Excluded }

// serves: ready and not taken out by hand. Its target is wanted.
func serves(p Pod) bool { return ready(p) && !p.Excluded }

// starting: on its way to be ready for the first time. One that was ready before
// is not: readiness that comes and goes must not register anything.
func starting(p Pod) bool {
	return stays(p) && !p.ContainersReady && p.UnreadySince.IsZero() && (p.Phase == "Pending" || p.Phase == "Running")
}

// returns: a successor comes back to the node by the pod's nature.
func returns(p Pod) bool { return p.DaemonSet || p.Static }

// world is an Input made ready for decisions. Its spots are sorted, its answers
// depend on no order of the Input, and it changes nothing of it.
type world struct {
	Input
	spots   []*spot
	skipped []Skip
	// pods that match and are not over, by UID; onNode, by node, those of them
	// that can listen on a port of the host.
	pods   map[string]Pod
	onNode map[string][]Pod
	// alive are UIDs of pods that exist and are not going, selected or not.
	alive map[string]bool
	// unplaced are UIDs of pods whose node is not known well enough to say which
	// target is theirs.
	unplaced map[string]bool
	// anyReady: some matching pod serves. anyHealthy: some target of the group is
	// healthy; if none is, AWS fails open and sends traffic to all of them.
	// failsOpen: it does for certain, none is healthy or may be.
	anyReady, anyHealthy, failsOpen bool
	// takeover is what is remembered of foreign targets, as of now.
	takeover TakeoverMemory
	// bare zones have nothing but departing nodes.
	bare map[string]bool
}

func newWorld(in Input) *world {
	in.Policy = in.Policy.WithDefaults()
	w := &world{Input: in, failsOpen: true, pods: map[string]Pod{}, onNode: map[string][]Pod{}, unplaced: map[string]bool{}, alive: alivePods(in.View)}
	spots := map[Key]*spot{}
	at := func(key Key) *spot {
		if spots[key] == nil {
			spots[key] = &spot{Key: key, target: Target{Key: key, Presence: Absent}, sibling: in.Siblings[key]}
		}
		return spots[key]
	}
	for _, target := range in.Targets {
		at(target.Key).target = target
		w.anyHealthy = w.anyHealthy || at(target.Key).healthy()
		w.failsOpen = w.failsOpen && !at(target.Key).maybeHealthy()
	}
	for _, pod := range w.matching() {
		w.pods[pod.UID] = pod
		if pod.HostNetwork || in.View.Selection.HostPorts {
			w.onNode[pod.Node] = append(w.onNode[pod.Node], pod)
		}
		key, skip := in.View.Resolve(in.Group, pod)
		if skip == nil {
			at(key).pods = append(at(key).pods, pod)
			w.anyReady = w.anyReady || serves(pod)
			continue
		}
		if skip.Rule == RuleNodeUnknown || skip.Rule == RuleNoInstance || skip.Rule == RuleNoAddress {
			w.unplaced[pod.UID] = true
		}
		if !pod.Terminating {
			w.skipped = append(w.skipped, *skip)
		}
	}
	for key, s := range spots {
		s.claim, s.claimed = in.Memory.Claims[key]
		s.node, s.known = w.nodeOf(s)
		s.zone = cmp.Or(s.node.Zone, s.target.Zone, s.claim.Zone)
	}
	w.spots = slices.SortedFunc(maps.Values(spots), func(a, b *spot) int { return compareKeys(a.Key, b.Key) })
	w.settleOwnership()
	w.takeover = w.recallTakeover()
	w.bare = w.bareZones()
	return w
}

// matching pods that are not over, in a stable order. A missing Service selects
// nothing, and of a binding that is being deleted nothing is wanted.
func (w *world) matching() []Pod {
	if w.Releasing || w.View.Missing != "" {
		return nil
	}
	pods := slices.DeleteFunc(slices.Clone(w.View.Pods), over)
	slices.SortFunc(pods, func(a, b Pod) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), cmp.Compare(a.UID, b.UID))
	})
	return pods
}

func (w *world) nodeOf(s *spot) (Node, bool) {
	nodes := w.View.nodes()
	by, name := nodes.ByInstance, s.ID
	switch {
	case len(s.pods) > 0:
		by, name = nodes.ByName, s.pods[0].Node
	case w.Group.Type == TypeIP:
		by = nodes.ByAddress
	}
	if node := by[name]; node != nil {
		return *node, true
	}
	return Node{}, false
}

// settleOwnership computes whose each target is (binding.md §6). For instance
// targets a port that this binding uses now is one that it has used; for ip
// targets what is wanted now is recorded before it is written.
func (w *world) settleOwnership() {
	used := map[int32]bool{w.View.Selection.Port: true}
	for _, port := range w.UsedPorts {
		used[port] = true
	}
	for _, s := range w.spots {
		if len(s.pods) > 0 {
			used[s.Port] = true
		}
	}
	for _, s := range w.spots {
		switch {
		case s.sibling:
		case w.Group.Type == TypeIP:
			s.ours = w.OwnIPs[s.Key]
		default:
			s.ours = s.known && used[s.Port]
		}
		s.sibling = s.sibling || !s.ours && w.theirs(s)
	}
}

// theirs: another binding of this cluster made it, or may have.
func (w *world) theirs(s *spot) bool {
	if w.Group.Type == TypeIP {
		return w.SiblingIPs[s.Key]
	}
	return s.known && w.SiblingPorts[s.Port]
}

// area is the zone that rules about zones mean: the group, if it balances across.
func (w *world) area(s *spot) string {
	if w.Group.CrossZone {
		return ""
	}
	return s.zone
}

func compareKeys(a, b Key) int {
	return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Port, b.Port))
}
