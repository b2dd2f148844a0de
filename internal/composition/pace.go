package composition

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Crossplane stops listening to the resources of a composite resource for five
// minutes when they change too often: each composite resource has a bucket of 100
// tokens, which gets back one a second, and each update of one of its resources, or
// of itself, takes two. A resource changes most often while it is being created.
// So creation is paced: what would empty the bucket waits until there is room.
// (Crossplane 2.4, internal/circuit and --circuit-breaker-*.)
//
// The costs are what Crossplane 2.4 and this provider write until a resource is Ready
// and its first targets are healthy: one token for the creation, two for each update.
// TestCircuitBreakerStaysClosed of cluster/test/install keeps the books on a real
// Crossplane, compares them with its own, and fails when a bucket gets too empty.
const (
	burst  = 100.0
	refill = 1.0 // a second
	// batch is how much comes together after the beginning, and costStage what each
	// time costs beside it: the list of resources, and the generation that conditions
	// are of, which Crossplane writes several times when it reads its own writes late.
	// So few big steps are cheaper than many small ones.
	batch     = 50.0
	costStage = 12.0
	// toReady and toTargets are the least time until something is ready, and until its
	// targets are healthy: AWS sets up a load balancer for minutes, and looks at a
	// target twice, five seconds apart.
	toReady   = 5 * time.Second
	toTargets = 12 * time.Second
)

// A cost is how many tokens a resource takes: at once, when it gets ready, and when
// its targets are healthy.
type cost struct{ created, ready, healthy float64 }

func (c cost) sum() float64 { return c.created + c.ready + c.healthy }

var (
	// costBalancer: creation, finalizer, Composition, label, resources, status: at
	// first, what Crossplane forgot of it, what it owns of it, with the address; ready,
	// and what it owns of that; with numbers.
	costBalancer = cost{created: 17, ready: 4, healthy: 2}
	// costLegacyBalancer is one with a generated name and a Secret to write, and when
	// it was written.
	costLegacyBalancer = cost{created: 25, ready: 4, healthy: 2}
	// costPort: creation, finalizer, revision, resources, status as above. The load
	// balancer pays the same once more.
	costPort = cost{created: 13, ready: 4, healthy: 2}
	// costManaged: creation, before and after the creation in AWS, and ready.
	costManaged = cost{created: 7}
	// costLoadBalancer tells its address before it is ready.
	costLoadBalancer = cost{created: 7, ready: 2}
	// costBinding tells of its targets' health.
	costBinding = cost{created: 7, healthy: 2}
	// costSecret is empty first.
	costSecret = cost{created: 3}
)

// A part of a composite resource that should be composed.
type part struct {
	name string
	cost cost
	Resource
}

// paced returns the parts that may be there now: all that exist already, and as
// many of the others, in order, as the bucket has room for. If some have to wait,
// it says how long until the next may come. own is what the composite resource costs
// itself.
func paced(req Request, own cost, parts []part) (map[string]Resource, time.Duration) {
	out := map[string]Resource{}

	var (
		born    []creation
		missing []part
	)

	for _, p := range parts {
		if o, ok := req.Observed[p.name]; ok {
			out[p.name] = p.Resource
			born = append(born, created(o, p.cost, req.Now))
		} else {
			missing = append(missing, p)
		}
	}

	itself := created(req.Composite, own, req.Now)
	// fits says whether so many of those that are missing have room after a while.
	fits := func(n int, wait time.Duration) bool {
		at, all := req.Now.Add(wait), slices.Clone(born)
		for _, p := range missing[:n] {
			all = append(all, creation{at: at, cost: p.cost})
		}

		return lowest(itself, all, at) >= 0
	}

	n := 0
	for n < len(missing) && fits(n+1, 0) {
		n++
	}

	if len(born) > 0 && n < together(missing) {
		n = 0
	}

	for _, p := range missing[:n] {
		out[p.name] = p.Resource
		born = append(born, creation{at: req.Now, cost: p.cost})
	}

	if missing = missing[n:]; len(missing) == 0 {
		return out, 0
	}

	next := together(missing)
	// An untouched bucket has room for it.
	wait := time.Second
	for wait < burst/refill*time.Second && !fits(next, wait) {
		wait += time.Second
	}

	return out, wait
}

// together is how many of the parts, in order, come at the same time.
func together(parts []part) int {
	n, sum := 0, 0.0
	for n < len(parts) && (n == 0 || sum+parts[n].cost.sum() <= batch) {
		sum += parts[n].cost.sum()
		n++
	}

	return n
}

type creation struct {
	at   time.Time
	cost cost
}

func created(o Object, c cost, now time.Time) creation {
	h, err := decode[head](o)
	if err != nil || h.Metadata.CreationTimestamp == (metav1.Time{}) || h.Metadata.CreationTimestamp.After(now) {
		return creation{at: now, cost: c}
	}

	return creation{at: h.Metadata.CreationTimestamp.Time, cost: c}
}

// spending of tokens.
type spending struct {
	at     time.Time
	tokens float64
}

func (c creation) spendings() []spending {
	return []spending{{c.at, c.cost.created}, {c.at.Add(toReady), c.cost.ready}, {c.at.Add(toTargets), c.cost.healthy}}
}

// lowest returns what is left in the bucket of a composite resource when it is
// emptiest, from a time on, after these creations of its resources.
func lowest(itself creation, born []creation, from time.Time) float64 {
	slices.SortStableFunc(born, func(a, b creation) int { return a.at.Compare(b.at) })

	all := itself.spendings()

	for n, c := range born {
		switch stage := n == 0 || c.at.Sub(born[n-1].at) > time.Second; {
		case born[0].at.Sub(c.at).Abs() <= time.Second:
			// Crossplane listens to its resources only when it has created the first ones.
			c.cost.created--
		case stage:
			c.cost.created += costStage
		}

		all = append(all, c.spendings()...)
	}

	slices.SortStableFunc(all, func(a, b spending) int { return a.at.Compare(b.at) })

	left, least, last := burst, burst, itself.at
	for _, s := range all {
		left = min(burst, left+refill*s.at.Sub(last).Seconds()) - s.tokens
		last = s.at

		if !s.at.Before(from) {
			least = min(least, left)
		}
	}

	return least
}
