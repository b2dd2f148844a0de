package binder

import (
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

const (
	// brakedFor is how long nothing is deregistered after a storm of removals, or
	// after Kubernetes was restored from a backup (binding.md §5).
	brakedFor = 10 * time.Minute
	// stormWithin is the time in which more than half of at least stormOf bindings
	// must have planned a removal without evidence.
	stormWithin = time.Minute
	stormOf     = 4
)

// brakes stop every deregistration of the process for a while. Their mu is taken
// last: a group holds its own when it asks.
//
// Only removals that lack evidence of a pod or a node make a storm: a node that
// leaves is no mistake, in however many bindings it has targets.
type brakes struct {
	mu sync.Mutex
	// planned is, for each binding, when it last planned a removal without evidence
	// that it had not planned before; zero if never.
	planned map[types.UID]time.Time
	// storm is when the last storm began; zero if there was none.
	storm time.Time
	// restored is when the cluster was last restored from a backup, as noted.
	restored time.Time
}

func newBrakes() *brakes { return &brakes{planned: map[types.UID]time.Time{}} }

func (b *brakes) add(uid types.UID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.planned[uid]; !ok {
		b.planned[uid] = time.Time{}
	}
}

func (b *brakes) remove(uid types.UID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.planned, uid)
}

// plans notes that a binding plans a removal without evidence that it did not
// plan before, and says whether that makes a storm. What waits for a brake to end
// is planned already and makes no other one.
func (b *brakes) plans(uid types.UID, now time.Time) (storm bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.planned[uid] = now
	if len(b.planned) < stormOf || now.Before(b.storm.Add(brakedFor)) {
		return false
	}
	recent := 0
	for _, at := range b.planned {
		if now.Sub(at) < stormWithin {
			recent++
		}
	}
	if 2*recent <= len(b.planned) {
		return false
	}
	b.storm = now
	return true
}

// restoredAt takes in when a resourceVersion last ran backwards, and says whether
// that is news.
func (b *brakes) restoredAt(at time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	news := at.After(b.restored)
	if news {
		b.restored = at
	}
	return news
}

// now is the brake that holds at a time, as a condition, and when it ends; zero if
// there is none.
func (b *brakes) now(now time.Time) (Condition, time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	storm, restored := b.storm.Add(brakedFor), b.restored.Add(brakedFor)
	ends := storm
	if restored.After(ends) {
		ends = restored
	}
	if !now.Before(ends) {
		return Condition{}, time.Time{}
	}
	text := "nothing is deregistered before " + ends.UTC().Format(time.RFC3339) + ": "
	if now.Before(restored) {
		return Condition{"Braked", "ClusterRestored", text + "a resourceVersion ran backwards, as after Kubernetes was restored from a backup, so what is missing may be there", true}, ends
	}
	return Condition{"Braked", "RemovalsEverywhere", text + "more than half of all bindings would remove targets whose pods and nodes nobody saw go; look for a mistake that they share", true}, ends
}

// brake takes in what a binding's plan comes to, and says whether all must be
// planned again because everything is to stay from now on; callers hold mu.
func (g *group) brake(bd *binding, now time.Time) (again bool) {
	news := slices.ContainsFunc(bd.plan.Unproven, func(k targets.Key) bool { return !slices.Contains(bd.unproven, k) })
	bd.unproven = bd.plan.Unproven
	if !news || !g.b.brakes.plans(bd.order.Binding.UID, now) {
		return false
	}
	g.b.braked("more than half of all bindings would remove targets without evidence")
	return true
}

// braked tells of a brake that begins, and lets every group plan again.
func (b *Binder) braked(why string) {
	b.o.Log.Info("nothing is deregistered for "+brakedFor.String(), "why", why)
	b.running.Go(func() {
		for _, g := range b.all() {
			g.poke()
		}
	})
}

// forbidden is the brake of one binding: what would leave and may not.
func forbidden(bd *binding, why string) (Condition, bool) {
	var stay []targets.Key
	for _, c := range bd.plan.Keep {
		if c.Rule == targets.RuleNoDeregister {
			stay = append(stay, c.Key)
		}
	}
	if len(stay) == 0 {
		return Condition{}, false
	}
	return Condition{"Braked", "DeregistrationForbidden", why + ", so these targets stay: " + keyList(stay, waitingShown), true}, true
}
