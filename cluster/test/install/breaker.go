package install

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
)

// Crossplane's defaults: --circuit-breaker-burst and --circuit-breaker-refill-rate.
const (
	breakerBurst  = 100.0
	breakerRefill = 1.0 // a second
)

// An Account keeps the books of Crossplane's circuit breakers: its metrics say
// whether one has opened, not how close it came and why. Each composite resource has
// a bucket of tokens. A resource that it is composed of, and itself, takes one when
// it is created and two when it is updated; nothing any more when it is being
// deleted. Crossplane listens to the resources only after it has composed them for
// the first time, and forgets the bucket of a composite resource that is being
// deleted, and its resources. (Crossplane 2.4, internal/circuit and internal/controller/apiextensions.)
type Account struct {
	stop context.CancelFunc
	done sync.WaitGroup

	mu      sync.Mutex
	buckets map[string]*bucket
	last    map[types.UID]*unstructured.Unstructured
	// created are the names of all objects, and composed those of the composite
	// resources whose resources have all been created once.
	created, composed map[string]bool
	// relapsed are the composite resources whose condition Crossplane has set back to
	// what it was before, and has not yet mended.
	relapsed map[types.UID]bool
	total    float64
	err      error
}

// bucket of a composite resource.
type bucket struct {
	level, spent float64
	lowest       float64
	// ours is what would be left if Crossplane had not repeated itself, and lowestOurs
	// when that was least.
	ours, lowestOurs float64
	at               time.Time
	// taken are the tokens by who took them and why.
	taken map[string]float64
}

// Observe opens an account of what happens from now on. Close it.
func (i *Installation) Observe(ctx context.Context) (*Account, error) {
	resources, err := dynamic.NewForConfig(i.Config())
	if err != nil {
		return nil, err
	}
	found, err := discovery.NewDiscoveryClientForConfig(i.Config())
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	a := newAccount(stop)
	for _, group := range []string{"edge.nlb.crossplane.io", "nlb.m.crossplane.io", "nlb.crossplane.io", ""} {
		version := schema.GroupVersion{Group: group, Version: "v1alpha1"}
		if group == "" {
			version.Version = "v1"
		}
		list, err := found.ServerResourcesForGroupVersion(version.String())
		if err != nil {
			a.Close()
			return nil, err
		}
		for _, r := range list.APIResources {
			if strings.Contains(r.Name, "/") || strings.HasPrefix(r.Kind, "ProviderConfig") || group == "" && r.Name != "secrets" {
				continue
			}
			if err := a.follow(ctx, resources.Resource(version.WithResource(r.Name))); err != nil {
				a.Close()
				return nil, err
			}
		}
	}
	return a, nil
}

func newAccount(stop context.CancelFunc) *Account {
	return &Account{
		stop: stop, buckets: map[string]*bucket{}, last: map[types.UID]*unstructured.Unstructured{},
		created: map[string]bool{}, composed: map[string]bool{}, relapsed: map[types.UID]bool{},
	}
}

// Close ends the account. What it has counted can still be asked for.
func (a *Account) Close() {
	a.stop()
	a.done.Wait()
}

func (a *Account) follow(ctx context.Context, r dynamic.NamespaceableResourceInterface) error {
	w, err := r.Watch(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	a.done.Go(func() {
		defer w.Stop()
		for e := range w.ResultChan() {
			if o, ok := e.Object.(*unstructured.Unstructured); ok {
				a.book(e.Type, o, time.Now())
			}
		}
		if ctx.Err() == nil {
			a.mu.Lock()
			a.err = fmt.Errorf("a watch ended early")
			a.mu.Unlock()
		}
	})
	return nil
}

// book an event as Crossplane does: once for the object as it was, and once as it is.
func (a *Account) book(e watch.EventType, o *unstructured.Unstructured, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.last[o.GetUID()]
	a.last[o.GetUID()] = o
	if e == watch.Deleted {
		before = nil
	}
	if isComposite(o.GetKind()) && o.GetDeletionTimestamp() != nil {
		delete(a.buckets, nameOf(o))
		delete(a.composed, nameOf(o))
	}
	repeats := a.repeats(before, o)
	for _, version := range []*unstructured.Unstructured{before, o} {
		if version == nil || version.GetDeletionTimestamp() != nil {
			continue
		}
		for _, target := range a.targets(version) {
			why := nameOf(o) + ": " + strings.Join(changes(before, o), " ")
			if repeats {
				why += " (Crossplane repeats itself)"
			}
			a.take(target, why, repeats, now)
		}
	}
	a.created[nameOf(o)] = true
}

// composedAs is an annotation of what a composite resource is composed of. It may own
// something else, such as the Secret of a legacy one.
const composedAs = "crossplane.io/composition-resource-name"

// targets are the composite resources that an object's event counts against.
func (a *Account) targets(o *unstructured.Unstructured) (out []string) {
	if isComposite(o.GetKind()) {
		out = append(out, nameOf(o))
	}
	owner := metav1.GetControllerOf(o)
	if owner != nil && isComposite(owner.Kind) && o.GetAnnotations()[composedAs] != "" && a.listens(owner.UID) {
		out = append(out, owner.Kind+" "+owner.Name)
	}
	return out
}

// listens says whether all resources of a composite resource have been created once.
func (a *Account) listens(uid types.UID) bool {
	o := a.last[uid]
	if o == nil || o.GetDeletionTimestamp() != nil {
		return false
	}
	if a.composed[nameOf(o)] {
		return true
	}
	refs, modern, _ := unstructured.NestedSlice(o.Object, "spec", "crossplane", "resourceRefs")
	if !modern {
		refs, _, _ = unstructured.NestedSlice(o.Object, "spec", "resourceRefs")
	}
	for _, each := range refs {
		if ref, _ := each.(map[string]any); !a.created[fmt.Sprintf("%v %v", ref["kind"], ref["name"])] {
			return false
		}
	}
	a.composed[nameOf(o)] = len(refs) > 0
	return len(refs) > 0
}

func nameOf(o *unstructured.Unstructured) string { return o.GetKind() + " " + o.GetName() }

func isComposite(kind string) bool {
	kind = strings.TrimPrefix(kind, "X")
	return kind == "NetworkLoadBalancer" || kind == "NetworkLoadBalancerPort"
}

func (a *Account) take(target, source string, repeats bool, now time.Time) {
	b := a.buckets[target]
	if b == nil {
		b = &bucket{level: breakerBurst, lowest: breakerBurst, ours: breakerBurst, lowestOurs: breakerBurst, at: now, taken: map[string]float64{}}
		a.buckets[target] = b
	}
	b.refill(now)
	b.level--
	if !repeats {
		b.ours--
	}
	b.lowest, b.lowestOurs = math.Min(b.lowest, b.level), math.Min(b.lowestOurs, b.ours)
	b.spent++
	a.total++
	b.taken[source]++
}

// refill gives a bucket what it has got back since it was looked at.
func (b *bucket) refill(now time.Time) {
	back := now.Sub(b.at).Seconds() * breakerRefill
	b.level, b.ours, b.at = math.Min(breakerBurst, b.level+back), math.Min(breakerBurst, b.ours+back), now
}

// Restart forgets what was spent so far, not what is left.
func (a *Account) Restart() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, b := range a.buckets {
		b.refill(time.Now())
		b.spent, b.lowest, b.lowestOurs, b.taken = 0, b.level, b.ours, map[string]float64{}
	}
}

// Total is how many tokens all composite resources have used since the beginning.
func (a *Account) Total() float64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.total
}

// Spent are the tokens that each composite resource has used.
func (a *Account) Spent() map[string]float64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	spent := map[string]float64{}
	for name, b := range a.buckets {
		spent[name] = b.spent
	}
	return spent
}

// A Low is what was left in a bucket when it was emptiest, and whose it is.
type Low struct {
	// Tokens that were left, and Ours that would have been if Crossplane had not
	// repeated itself: at another time, maybe.
	Tokens, Ours float64
	Target       string
}

// Lowest is the emptiest of all buckets by what would have been left.
func (a *Account) Lowest() (Low, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	low := Low{Tokens: breakerBurst, Ours: breakerBurst}
	for _, name := range slices.Sorted(maps.Keys(a.buckets)) {
		if b := a.buckets[name]; b.lowestOurs < low.Ours {
			low = Low{b.lowest, b.lowestOurs, name}
		}
	}
	return low, a.err
}

// Report says what each composite resource's bucket was used for most.
func (a *Account) Report() string {
	const sources, width = 6, 120
	a.mu.Lock()
	defer a.mu.Unlock()
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(a.buckets)) {
		b := a.buckets[name]
		fmt.Fprintf(&out, "%s: %.0f tokens spent, %.0f left when fewest were\n", name, b.spent, b.lowest)
		most := slices.SortedFunc(maps.Keys(b.taken), func(x, y string) int {
			return cmp.Or(cmp.Compare(b.taken[y], b.taken[x]), cmp.Compare(x, y))
		})
		for _, source := range most[:min(len(most), sources)] {
			fmt.Fprintf(&out, "  %3.0f %.*s\n", b.taken[source], width, source)
		}
	}
	return out.String()
}
