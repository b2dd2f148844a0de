package targetgroupbinding

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cluster "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/binder"
	"github.com/provider-nlb/provider-nlb/internal/clusters"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// nobody observes nothing.
type nobody struct{}

func (nobody) Subscribe(string, clusters.Query, func()) {}
func (nobody) Unsubscribe(string)                       {}
func (nobody) ReadySince(string, time.Time) bool        { return false }
func (nobody) View(string, []targets.Key) targets.View  { return targets.View{} }
func (nobody) CompleteSince(string) time.Time           { return time.Time{} }
func (nobody) RanBackwards() time.Time                  { return time.Time{} }
func bindingNamed(name string, edit ...func(Binding)) Binding {
	b := &namespaced.TargetGroupBinding{ObjectMeta: metav1.ObjectMeta{Namespace: "edge", Name: name, UID: types.UID(name), Generation: 1}}
	b.ForProvider().Ownership = ptr("Exclusive")
	for _, e := range edit {
		e(b)
	}
	return b
}

func TestOwnerOf(t *testing.T) {
	long := &namespaced.TargetGroupBinding{ObjectMeta: metav1.ObjectMeta{Namespace: "edge", Name: strings.Repeat("a", 253)}}
	other := &namespaced.TargetGroupBinding{ObjectMeta: metav1.ObjectMeta{Namespace: "edge", Name: strings.Repeat("a", 252) + "b"}}
	scoped := &cluster.TargetGroupBinding{ObjectMeta: metav1.ObjectMeta{Name: "web"}}
	if diff := cmp.Diff([]string{"c1/edge/web", "c1//web"}, []string{ownerOf("c1", bindingNamed("web")), ownerOf("c1", scoped)}); diff != "" {
		t.Errorf("cluster, namespace and name: %s", diff)
	}
	a, b := ownerOf("c1", long), ownerOf("c1", other)
	if len(a) != tagValueMost || a == b || a != ownerOf("c1", long) {
		t.Errorf("what AWS has no room for is still one of a kind: %d %q %q", len(a), a, b)
	}
}

// TestTheTagOfTheOnlyOwner: it is set when the engine asks, never over another's,
// removed from a binding that is Shared again, and with the binding.
func TestTheTagOfTheOnlyOwner(t *testing.T) {
	shared := func(b Binding) { b.ForProvider().Ownership = ptr("Shared") }
	cases := map[string]struct {
		reason string
		tag    string
		edit   func(Binding)
		claim  bool
		// agrees: Observe finds nothing to do; after is the tag when Update has run.
		agrees bool
		after  string
		// left is the tag when the binding was deleted.
		left string
	}{
		"NotAsked":     {reason: "while the foreign targets are only shown nothing is written", agrees: true},
		"Asked":        {reason: "the engine asks before one leaves", claim: true, after: "c1/edge/web"},
		"Ours":         {reason: "it is there", tag: "c1/edge/web", agrees: true, after: "c1/edge/web"},
		"Another":      {reason: "another binding's tag is never taken", tag: "c2/edge/web", claim: true, agrees: true, after: "c2/edge/web", left: "c2/edge/web"},
		"SharedAgain":  {reason: "who owns nothing any more says so", tag: "c1/edge/web", edit: shared},
		"SharedBeside": {reason: "the tag of another is no matter", tag: "c2/edge/web", edit: shared, agrees: true, after: "c2/edge/web", left: "c2/edge/web"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim := awssim.New(awssim.Options{})
				t.Cleanup(sim.Close)
				tags := map[string]string{"app": "legacy"}
				if tc.tag != "" {
					tags[binder.TagExclusiveOwner] = tc.tag
				}
				arn := seed(t, sim, "web", tags)
				e := externalIn(t, sim)
				var edits []func(Binding)
				if tc.edit != nil {
					edits = append(edits, tc.edit)
				}
				b := bindingNamed("web", edits...)
				b.ObservedState().AtProvider.TargetGroupARN = arn
				found, err := e.describe(t.Context(), arn, e.options.PollAges(b))
				if err != nil {
					t.Fatal(err)
				}
				e.found = found
				if got := e.tagAgrees(b, found, binder.Snapshot{Claim: tc.claim}); got != tc.agrees {
					t.Errorf("%s: it agrees: %t", tc.reason, got)
				}
				if !tc.agrees || tc.tag != "" {
					if _, err := e.Update(t.Context(), b); err != nil {
						t.Fatal(err)
					}
				}
				if got := tagIn(t, e, arn); got != tc.after {
					t.Errorf("%s: the tag is %q, want %q", tc.reason, got, tc.after)
				}
				if _, err := e.Delete(t.Context(), b); err != nil {
					t.Fatal(err)
				}
				claims, err := e.stillClaims(t.Context(), b)
				if got := tagIn(t, e, arn); got != tc.left || claims || err != nil {
					t.Errorf("%s: after its deletion the tag is %q, want %q; it claims: %t %v", tc.reason, got, tc.left, claims, err)
				}
				if n := sim.Count("AddTags", "RemoveTags"); n > 2 {
					t.Errorf("%d calls changed tags", n)
				}
			})
		})
	}
}

// TestAFailedUntaggingHoldsTheObject: else the tag would stay for ever.
func TestAFailedUntaggingHoldsTheObject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := awssim.New(awssim.Options{})
		t.Cleanup(sim.Close)
		arn := seed(t, sim, "web", map[string]string{binder.TagExclusiveOwner: "c1/edge/web"})
		e := externalIn(t, sim)
		b := bindingNamed("web")
		b.ObservedState().AtProvider.TargetGroupARN = arn
		remove := sim.Fault(awssim.Fault{Action: "RemoveTags", Effect: awssim.Answer, Status: 403, Code: "AccessDenied", Message: "no"})
		if _, err := e.Delete(t.Context(), b); err == nil || !strings.Contains(err.Error(), "cannot remove the tag") {
			t.Errorf("what AWS refuses is told: %v", err)
		}
		if claims, err := e.stillClaims(t.Context(), b); !claims || err != nil {
			t.Errorf("it still claims: %t %v", claims, err)
		}
		remove()
		if _, err := e.Delete(t.Context(), b); err != nil {
			t.Error(err)
		}
		if claims, err := e.stillClaims(t.Context(), b); claims || err != nil {
			t.Errorf("then it does not: %t %v", claims, err)
		}
		sim.DeleteTargetGroup(arn)
		time.Sleep(time.Hour)
		if claims, err := e.stillClaims(t.Context(), b); claims || err != nil {
			t.Errorf("a group that is gone has no tag: %t %v", claims, err)
		}
	})
}

func externalIn(t *testing.T, sim *awssim.Sim) *external {
	t.Helper()
	access, err := aws.NewPool(aws.PoolOptions{HTTP: sim}).Access(t.Context(), aws.Config{
		Credentials: aws.Credentials{Source: aws.SourceSecret, Static: aws.StaticCredentials{
			AccessKeyID: awssim.DefaultKey.ID, SecretAccessKey: awssim.DefaultKey.Secret,
		}},
		EndpointURL: "http://aws.test",
	}, "eu-west-1")
	if err != nil {
		t.Fatal(err)
	}
	l := &liaison{}
	c := &connector{engine: binder.New(binder.Options{Clusters: nobody{}}), looked: newMemo[bool](0), claims: newClaims(), allowed: l.allowed, notify: func(binder.Ref) {}}
	c.options.PollInterval, c.options.ClusterID = poll, "c1"
	return &external{connector: c, access: access}
}

func tagIn(t *testing.T, e *external, arn string) string {
	t.Helper()
	tags, err := e.access.Read.Tags(t.Context(), arn, 0)
	if err != nil {
		t.Fatal(err)
	}
	return tags[binder.TagExclusiveOwner]
}

// TestAllowed is what the engine asks before every write.
func TestAllowed(t *testing.T) {
	annotate := func(key, value string) func(Binding) {
		return func(b Binding) { meta.AddAnnotations(b, map[string]string{key: value}) }
	}
	cases := map[string]struct {
		reason string
		off    string
		edit   func(Binding)
		want   binder.Live
	}{
		"Plain":    {"Nothing forbids anything.", "", func(Binding) {}, binder.Live{}},
		"Hold":     {"The annotation is a brake.", "", annotate("nlb.crossplane.io/hold", "true"), binder.Live{NoDeregister: "annotation nlb.crossplane.io/hold is true"}},
		"HoldYes":  {"Whoever writes it at night means it.", "", annotate("nlb.crossplane.io/hold", "yes"), binder.Live{NoDeregister: "annotation nlb.crossplane.io/hold is yes"}},
		"HoldTrue": {"So does who writes it otherwise.", "", annotate("nlb.crossplane.io/hold", "True"), binder.Live{NoDeregister: "annotation nlb.crossplane.io/hold is True"}},
		"HoldNot":  {"What is false is false.", "", annotate("nlb.crossplane.io/hold", "false"), binder.Live{}},
		"HoldNone": {"An empty value says nothing.", "", annotate("nlb.crossplane.io/hold", ""), binder.Live{}},
		"Flag":     {"So is the flag, for all.", "the provider runs with --deregistration=off", func(Binding) {}, binder.Live{NoDeregister: "the provider runs with --deregistration=off"}},
		"Approval": {"The plan hash that somebody approves.", "", annotate("nlb.crossplane.io/approve", "a1b2"), binder.Live{Approved: "a1b2"}},
		"Paused": {"Pause forbids everything.", "", annotate("crossplane.io/paused", "true"), binder.Live{
			NoRegister: "the binding is paused", NoDeregister: "the binding is paused",
			Stopped: targets.Stop{Rule: targets.RuleGatePaused, Reason: "TargetGroupBinding web is paused"},
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			l := &liaison{options: Options{NoDeregistration: tc.off}}
			if diff := cmp.Diff(tc.want, l.allowed(bindingNamed("web", tc.edit))); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// cached is a cache with these bindings of one namespace.
type cached []*namespaced.TargetGroupBinding

func (c cached) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	return nil
}

func (c cached) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	for _, b := range c {
		l := list.(*namespaced.TargetGroupBindingList)
		l.Items = append(l.Items, *b)
	}
	return nil
}

func TestHeir(t *testing.T) {
	const hour = time.Hour
	cases := map[string]struct {
		reason string
		// group of the other binding, and how long ago this process first saw it;
		// 0 if it has not.
		group string
		seen  time.Duration
		// noted is how long ago the API server noted its creation.
		noted time.Duration
		known bool
		want  bool
	}{
		"JustCreated":       {"It may want the same targets and has not said so.", "web", 0, time.Second, false, true},
		"SeenJustNow":       {"It is being looked after, and has given no order yet.", "web", 59 * time.Second, 59 * time.Second, false, true},
		"Known":             {"The engine knows what it wants.", "web", time.Second, time.Second, true, false},
		"Old":               {"One that never comes about holds nothing up for ever.", "web", heirFor, heirFor, false, false},
		"OurClockIsAhead":   {"The API server's clock is an hour behind: the binding is as young as any.", "web", 0, hour, false, true},
		"OurClockIsBehind":  {"The API server's clock is an hour ahead: the binding is no younger for it.", "web", heirFor, -hour, false, false},
		"TheClockWasSet":    {"What counts is what has passed since it was seen.", "web", 59 * time.Second, 5 * hour, false, true},
		"OtherGroup":        {"It has another group.", "api", 0, time.Second, false, false},
		"AndItWasNeverSeen": {"Nor does one count that another process has known for long, but for the minute that a new one takes to know.", "web", 0, 24 * hour, false, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, other := heirs(t, "new", tc.group)
				if tc.seen > 0 {
					l.seen.of(other.UID)
					time.Sleep(tc.seen)
				}
				other.CreationTimestamp = metav1.NewTime(time.Now().Add(-tc.noted))
				if got := l.heir(heirless, func(types.UID) bool { return tc.known }); got != tc.want {
					t.Errorf("%s got %t", tc.reason, got)
				}
			})
		})
	}
}

// TestHeirsThatAreNone: a binding that goes, too, and the one that is deleted itself.
func TestHeirsThatAreNone(t *testing.T) {
	nobody := func(types.UID) bool { return false }
	l, other := heirs(t, "new", "web")
	other.DeletionTimestamp = ptr(metav1.Now())
	if l.heir(heirless, nobody) {
		t.Error("a binding that is being deleted holds up another one's release")
	}
	l, _ = heirs(t, "old", "web")
	if l.heir(heirless, nobody) {
		t.Error("a binding holds up its own release")
	}
}

// TestAnHeirHoldsUpForAMinute: a release that asks again and again is held up no longer
// than that by a binding that nobody ever looks after; and so it is by one that comes
// under the same name after it was gone.
func TestAnHeirHoldsUpForAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, other := heirs(t, "new", "web")
		for range 2 {
			began := time.Now()
			for l.heir(heirless, func(types.UID) bool { return false }) {
				other.CreationTimestamp = metav1.NewTime(time.Now().Add(time.Hour)) // and somebody sets the clock meanwhile
				time.Sleep(time.Second)
			}
			if took := time.Since(began); took != heirFor {
				t.Errorf("the release was held up for %s, want %s", took, heirFor)
			}
			l.seen.forget(other.UID)
		}
	})
}

// heirless is the binding that is being deleted.
var heirless = binder.Ref{Group: namespaced.SchemeGroupVersion.Group, Namespace: "edge", Name: "old", UID: "old"}

// heirs are the binding that is being deleted and another one of a group.
func heirs(t *testing.T, name, group string) (*liaison, *namespaced.TargetGroupBinding) {
	t.Helper()
	own, other := bindingNamed("old").(*namespaced.TargetGroupBinding), bindingNamed(name).(*namespaced.TargetGroupBinding)
	own.Spec.ForProvider.TargetGroupName, other.Spec.ForProvider.TargetGroupName = ptr("web"), ptr(group)
	return &liaison{scheme: schemeOf(t), cache: cached{own, other}, seen: newSightings()}, other
}

func schemeOf(t *testing.T) *runtime.Scheme {
	t.Helper()
	s := runtime.NewScheme()
	if err := namespaced.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	return s
}

// A rival is a cluster with an Exclusive binding of a group.
type rival struct {
	*external

	binding Binding
	arn     string

	mu sync.Mutex
	// believes that it is the only owner.
	believes bool
}

// look is what an order says of the group.
func (r *rival) look(t *testing.T) (agrees bool) {
	found, err := r.describe(t.Context(), r.arn, r.options.PollAges(r.binding))
	if err != nil {
		t.Error(err)
	}
	claimed, _ := r.owned(r.binding, found.owner)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.believes = claimed
	return r.tagAgrees(r.binding, found, binder.Snapshot{Claim: !claimed})
}

func (r *rival) reconcile(t *testing.T) {
	if !r.look(t) {
		_ = r.claim(t.Context(), r.binding)
		r.look(t)
	}
}

// rivals of a group, which is nobody's.
func rivals(t *testing.T, sim *awssim.Sim) []*rival {
	t.Helper()
	arn := seed(t, sim, "web", nil)
	var out []*rival
	for i := range 2 {
		r := &rival{external: externalIn(t, sim), binding: bindingNamed("web"), arn: arn}
		r.options.ClusterID, r.found.ARN = fmt.Sprint("c", i+1), arn
		r.notify = func(binder.Ref) { go r.reconcile(t) }
		out = append(out, r)
	}
	return out
}

// TestOneOfTwoClustersOwns: bindings of two clusters that see no tag and write theirs in
// the same second never both believe that they are the only owner, and one does in the
// end; also if what one wrote takes effect when it has given up.
func TestOneOfTwoClustersOwns(t *testing.T) {
	cases := map[string]struct {
		reason string
		fault  awssim.Fault
		// behind is by how much the second writes later.
		behind time.Duration
	}{
		"AtOnce": {reason: "Both see no tag, and both write."},
		"Behind": {reason: "The second has seen no tag, and writes when the first has read its own.", behind: 5 * time.Second},
		"Late":   {reason: "A call that was given up takes effect 40 s later.", fault: awssim.Fault{Action: "AddTags", Effect: awssim.TakeLate, Times: 1}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim := awssim.New(awssim.Options{Latency: 60 * time.Millisecond, OnCall: func(c awssim.Call) {
					if c.Action == "AddTags" && strings.HasPrefix(c.Params.Get("Tags.member.1.Value"), "c2/") {
						time.Sleep(tc.behind)
					}
				}})
				t.Cleanup(sim.Close)
				both := rivals(t, sim)
				if tc.fault.Effect != "" {
					t.Cleanup(sim.Fault(tc.fault))
				}
				var owners int
				for second := range int(4 * poll / time.Second) {
					owners = 0
					for _, r := range both {
						if second%int(poll/time.Second) == 0 {
							go r.reconcile(t)
						}
						r.mu.Lock()
						if r.believes {
							owners++
						}
						r.mu.Unlock()
					}
					if owners > 1 {
						t.Fatalf("%s Both own the group after %d s", tc.reason, second)
					}
					time.Sleep(time.Second)
				}
				if n := sim.Count("AddTags"); owners != 1 || n > 3 {
					t.Errorf("%s %d own the group, after %d calls that changed the tag", tc.reason, owners, n)
				}
			})
		})
	}
}
