package targets

import (
	"fmt"
	"math/rand"
	"time"
)

// anyWorld is a random Input. The same seed gives the same one.
func anyWorld(seed int64) Input {
	r := rand.New(rand.NewSource(seed))
	one := func(n int) bool { return r.Intn(n) == 0 }
	in := scene()
	in.Group.CrossZone, in.Group.Ours = one(4), one(2)
	in.Policy = Policy{
		Ownership:       []Ownership{"", OwnershipExclusive, OwnershipShared}[r.Intn(3)],
		EmptyDeregister: one(2), RestartDeregister: one(4), NotReadyDeregister: one(2), RegisterScheduled: one(3),
		MaxUnavailable: r.Intn(4), MaxUnavailablePercent: one(3),
	}
	if one(20) {
		in.Policy.NoDeregister = "brake"
	}
	if one(20) {
		in.Policy.NoRegister = "observe"
	}
	in.View.Incomplete = []string{"broken", "", "", "", "", "", "", ""}[r.Intn(8)]
	in.View.Missing = []string{"no Service", "", "", "", "", "", "", "", "", ""}[r.Intn(10)]
	in.Unread, in.Releasing, in.QuotaFull = one(12), one(12), one(6)
	in.UsedPorts = []int32{443, 80}
	in.View.NodeRefused, in.View.Relisted, in.Siblings = map[string]bool{}, map[Key]bool{}, map[Key]bool{}
	in.View.Occupied, in.Memory.Claims = map[Key]PodRef{}, map[Key]Claim{}
	for i := range 1 + r.Intn(8) {
		anyNode(r, &in, fmt.Sprint(i))
	}
	for i := range r.Intn(3) {
		target(fmt.Sprintf("x%d", i), anyHealth(r), func(t *Target) { t.Zone = anyZone(r) })(&in)
	}
	return in
}

func anyZone(r *rand.Rand) string { return fmt.Sprintf("z%d", 1+r.Intn(3)) }

func anyHealth(r *rand.Rand) Health {
	return []Health{HealthHealthy, HealthHealthy, HealthHealthy, HealthUnhealthy, HealthInitial, HealthUnread, HealthUnused}[r.Intn(7)]
}

func anyNode(r *rand.Rand, in *Input, name string) {
	one := func(n int) bool { return r.Intn(n) == 0 }
	node(name, func(n *Node) {
		n.Zone, n.Ready = anyZone(r), !one(5)
		n.Class = []NodeClass{NodeStays, NodeStays, NodeStays, NodeDeparting, NodeLeaving}[r.Intn(5)]
		if one(8) {
			n.GoneSince = noon.Add(-time.Minute)
		}
	})(in)
	if one(10) {
		in.View.NodeRefused[name] = true
	}
	count := r.Intn(3)
	for i := range count {
		pod(name, uid(fmt.Sprintf("u-%s-%d", name, i)), func(p *Pod) { anyPod(r, p) })(in)
	}
	for _, port := range []int32{443, 80} {
		k := Key{ID: "i-" + name, Port: port}
		if one(2) && (port == 443 || one(3)) {
			target(name, anyHealth(r), func(t *Target) {
				t.Port = port
				t.Presence = []Presence{Registered, Registered, Registered, Registered, Draining, Unknown, Absent}[r.Intn(7)]
				if one(12) {
					dead(t)
				}
			})(in)
			if one(2) {
				in.Memory.Claims[k] = Claim{
					Pod:  PodRef{Namespace: "edge", Name: "p", UID: fmt.Sprintf("u-%s-%d", name, r.Intn(3))},
					Node: name, Returns: one(2), VacatedAt: noon.Add(-time.Duration(r.Intn(200)) * time.Second),
				}
			}
		}
		if one(20) {
			in.Siblings[k] = true
		}
		if one(20) {
			in.View.Relisted[k] = true
		}
		if one(20) {
			in.View.Occupied[k] = PodRef{Namespace: "other", Name: "p"}
		}
		if one(10) {
			unselected(name, func(p *Pod) { anyPod(r, p) })(in)
		}
	}
}

func anyPod(r *rand.Rand, p *Pod) {
	one := func(n int) bool { return r.Intn(n) == 0 }
	p.Phase = []string{"Running", "Running", "Running", "Running", "Pending", "Failed", "Succeeded"}[r.Intn(7)]
	p.ContainersReady = p.Phase == "Running" && !one(3)
	if !p.ContainersReady && one(2) {
		p.UnreadySince = noon.Add(-time.Duration(r.Intn(400)) * time.Second)
	}
	p.Terminating, p.Excluded, p.DaemonSet, p.Static = one(5), one(12), one(2), one(10)
	p.HostNetwork = !one(12)
	if one(15) {
		p.Node = "lost"
	}
}

// inAWS is what AWS holds after a plan was carried out.
func inAWS(in Input, p Plan) Input {
	for _, c := range p.Register {
		in.Targets = upsert(in.Targets, Target{Key: c.Key, Presence: Registered, Health: HealthInitial, Zone: c.Zone})
	}
	for _, c := range p.Deregister {
		in.Targets = upsert(in.Targets, Target{Key: c.Key, Presence: Draining, Health: HealthDraining, Zone: c.Zone})
	}
	in.Memory = p.Memory
	return in
}

// checked is what AWS says after its health checks have run: a target with a
// ready pod is healthy, another one of ours is not, what drained is gone.
func checked(in Input) Input {
	var targets []Target
	for _, t := range in.Targets {
		if t.Presence == Draining || t.Presence == Absent {
			continue
		}
		if t.Presence == Registered && t.Reason == "" && t.ID[2] != 'x' {
			t.Health = HealthUnhealthy
			if hasReadyPod(in, t.Key) {
				t.Health = HealthHealthy
			}
		}
		targets = append(targets, t)
	}
	in.Targets = targets
	return in
}

// hasReadyPod is told apart from the code under test on purpose.
func hasReadyPod(in Input, k Key) bool {
	for _, p := range in.View.Pods {
		if "i-"+p.Node == k.ID && k.Port == 443 && p.HostNetwork && p.Phase == "Running" && p.ContainersReady && !p.Terminating {
			return true
		}
	}
	return false
}
