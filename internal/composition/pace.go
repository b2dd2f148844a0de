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
	// costBalancer: finalizer, label, Composition, revision, resources (twice, with
	// the Secret), and status: at first, with the address, ready, with numbers.
	costBalancer = 22.0
	// costPort: finalizer, revision, resources, and status: at first, ready, with
	// numbers. Both buckets pay it: its own, and that of the load balancer.
	costPort = 14.0
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

	room := replay(born, req.Now)

	for _, p := range parts {
		if _, ok := out[p.name]; ok {
			continue
		}

		// The first always comes: a bucket that is full has room for it.
		if room < p.cost {
			return out, time.Duration((p.cost-room)*float64(time.Second)).Truncate(time.Second) + time.Second
		}

		room -= p.cost
		out[p.name] = p.Resource
	}

	return out, 0
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
		room = min(burst, room+c.at.Sub(last).Seconds()) - c.cost
		last = c.at
	}

	return min(burst, room+now.Sub(last).Seconds())
}
