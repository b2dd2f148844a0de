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
// Crossplane, and fails when a bucket gets too empty.
const (
	burst = 100.0
	// batch is how much comes together after the beginning, and costStage what each
	// time costs beside it: the list of resources, and the generation that conditions
	// are of. So few big steps are cheaper than many small ones.
	batch     = 50.0
	costStage = 6.0
	// costBalancer: creation, finalizer, label, Composition, resources (twice, with
	// the Secret), status: at first, with the security group, with the address, ready;
	// and the generation that its conditions are of, three times. A legacy one also has
	// a generated name and the Secret to write.
	costBalancer = 29.0
	// costPort: creation, finalizer, revision, resources, status: at first, again with
	// what Crossplane forgot, ready, with numbers; and the generation that its
	// conditions are of, twice.
	costPort = 19.0
	// costPortAround is what a port costs the load balancer: all of its own, and its
	// numbers once more.
	costPortAround = costPort + 2
	// costManaged: before and after the creation in AWS, and ready.
	costManaged = 8.0
	// costLively is a load balancer, which tells its address before it is ready, or a
	// binding, which tells of its targets' health.
	costLively = 11.0
	// costSecret has no status.
	costSecret = 1.0
)

// A part of a composite resource that should be composed.
type part struct {
	name string
	cost float64
	Resource
}

// paced returns the parts that may be there now: all that exist already, and as
// many of the others, in order, as the bucket has room for. If some have to wait,
// it says how long until the next may come. own is what the composite resource costs
// itself.
func paced(req Request, own float64, parts []part) (map[string]Resource, time.Duration) {
	out := map[string]Resource{}
	born := []creation{created(req.Composite, own, req.Now)}

	for _, p := range parts {
		if o, ok := req.Observed[p.name]; ok {
			out[p.name] = p.Resource
			born = append(born, created(o, p.cost, req.Now))
		}
	}

	var missing []part

	for _, p := range parts {
		if _, ok := out[p.name]; !ok {
			missing = append(missing, p)
		}
	}

	room, limit := replay(born, req.Now), burst
	if len(out) > 0 {
		room, limit = room-costStage, batch
	}

	n, cost := prefix(missing, room)
	if whole, want := prefix(missing, limit); len(out) > 0 && n < whole {
		return out, seconds(want - room)
	}

	for _, p := range missing[:n] {
		out[p.name] = p.Resource
	}

	if n == len(missing) {
		return out, 0
	}

	_, next := prefix(missing[n:], batch)

	return out, seconds(next + costStage - (room - cost))
}

// prefix is how many parts, in order, cost at most so much, and what they cost.
func prefix(parts []part, most float64) (n int, cost float64) {
	for n < len(parts) && cost+parts[n].cost <= most {
		cost += parts[n].cost
		n++
	}

	return n, cost
}

// seconds until there are so many tokens more, rounded up.
func seconds(tokens float64) time.Duration {
	return time.Duration(tokens*float64(time.Second)).Truncate(time.Second) + time.Second
}

type creation struct {
	at   time.Time
	cost float64
}

func created(o Object, cost float64, now time.Time) creation {
	h, err := decode[head](o)
	if err != nil || h.Metadata.CreationTimestamp == (metav1.Time{}) || h.Metadata.CreationTimestamp.After(now) {
		return creation{at: now, cost: cost}
	}

	return creation{at: h.Metadata.CreationTimestamp.Time, cost: cost}
}

// replay returns what is left in the bucket after these creations.
func replay(born []creation, now time.Time) float64 {
	slices.SortStableFunc(born, func(a, b creation) int { return a.at.Compare(b.at) })

	room, last := burst, born[0].at
	for _, c := range born {
		// What came later was a stage of its own.
		if c.at.Sub(last) > time.Second {
			c.cost += costStage
		}

		room = min(burst, room+c.at.Sub(last).Seconds()) - c.cost
		last = c.at
	}

	return min(burst, room+now.Sub(last).Seconds())
}
