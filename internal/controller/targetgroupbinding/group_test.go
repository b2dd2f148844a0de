package targetgroupbinding

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/binder"
)

const poll = 10 * time.Minute

// inBubble has an AWS in memory and what finds groups in it, on a clock that moves
// when nothing else does.
func inBubble(t *testing.T, run func(t *testing.T, sim *awssim.Sim, find func(Binding) (string, error))) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sim := awssim.New(awssim.Options{})
		t.Cleanup(sim.Close)
		access := accessTo(t, sim)
		c := &connector{engine: binder.New(binder.Options{}), looked: newMemo[bool](0), later: newLater(), notify: func(binder.Ref) {}}
		c.options.PollInterval = poll
		run(t, sim, func(b Binding) (string, error) {
			e := &external{connector: c, access: access}
			found, err := e.group(t.Context(), b)
			if err == nil {
				b.ObservedState().AtProvider.TargetGroupARN = found.ARN
				b.ObservedState().SetObservedGeneration(b.GetGeneration())
			}
			return found.ARN, err
		})
	})
}

func seed(t *testing.T, sim *awssim.Sim, name string, tags map[string]string) string {
	t.Helper()
	arn, err := sim.SeedTargetGroup(awssim.TargetGroupSeed{Region: "eu-west-1", Name: name, Protocol: "TCP", VPC: "vpc-0a", Port: 443, Tags: tags})
	if err != nil {
		t.Fatal(err)
	}
	return arn
}

func binding(name string, p v1alpha1.TargetGroupBindingParameters) Binding {
	b := &namespaced.TargetGroupBinding{ObjectMeta: metav1.ObjectMeta{Namespace: "edge", Name: name, UID: types.UID(name), Generation: 1}}
	*b.ForProvider() = p
	return b
}

func TestTheFirstLookAtAGenerationIsAtAWS(t *testing.T) {
	inBubble(t, func(t *testing.T, sim *awssim.Sim, find func(Binding) (string, error)) {
		name := "web"
		look := func(b Binding) string {
			arn, err := find(b)
			if err != nil {
				t.Fatal(err)
			}
			return arn
		}
		old := seed(t, sim, name, nil)
		first, second := binding("first", v1alpha1.TargetGroupBindingParameters{TargetGroupName: &name}), binding("second", v1alpha1.TargetGroupBindingParameters{TargetGroupName: &name})
		look(first)
		sim.Reset()
		for range 60 {
			look(first)
			time.Sleep(time.Second)
		}
		if n := sim.Count(); n != 0 {
			t.Errorf("%d calls for what was read less than a quarter of a poll ago", n)
		}
		sim.DeleteTargetGroup(old) // By somebody else, who makes it again.
		fresh := seed(t, sim, name, map[string]string{"again": "yes"})
		if got := look(second); got != fresh {
			t.Errorf("a new binding found %s, want %s", got, fresh)
		}
		first.SetGeneration(2)
		if got := look(first); got != fresh {
			t.Errorf("a new generation found %s, want %s", got, fresh)
		}
	})
}

// TestAGroupThatCannotBeReadIsNamed, by its field, and one of another region costs no
// call.
func TestAGroupThatCannotBeReadIsNamed(t *testing.T) {
	inBubble(t, func(t *testing.T, sim *awssim.Sim, find func(Binding) (string, error)) {
		says := func(arn, want string, calls int) {
			t.Helper()
			sim.Reset()
			_, err := find(binding("web", v1alpha1.TargetGroupBindingParameters{TargetGroupARN: &arn}))
			if err == nil || !strings.HasPrefix(err.Error(), want) || sim.Count() != calls {
				t.Errorf("got  %v, with %d calls\nwant %s…, with %d", err, sim.Count(), want, calls)
			}
		}
		here := seed(t, sim, "web", nil)
		there := strings.Replace(here, "eu-west-1", "eu-west-2", 1)
		says(there, "spec.forProvider.targetGroupArn is "+there+", which is in region eu-west-2, but spec.forProvider.region is eu-west-1: name one of that region, or create a new TargetGroupBinding", 0)
		theirs := strings.Replace(here, "123456789012", "999999999999", 1)
		says(theirs, "spec.forProvider.targetGroupArn: cannot read target group "+theirs+": AccessDenied: ", 1)
	})
}

func TestAGroupIsFoundByItsTags(t *testing.T) {
	inBubble(t, func(t *testing.T, sim *awssim.Sim, find func(Binding) (string, error)) {
		b := binding("web", v1alpha1.TargetGroupBindingParameters{TargetGroupTags: map[string]v1alpha1.TagValue{"team": "edge"}})
		for i := range 45 {
			seed(t, sim, fmt.Sprintf("other-%d", i), map[string]string{"team": "other"})
		}
		fails := func(want string) {
			t.Helper()
			_, err := find(b)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
			b.SetConditions(xpv2.ReconcileError(err).WithObservedGeneration(b.GetGeneration()))
		}
		fails("no target group in region eu-west-1 has the tags team=edge")
		sim.Reset()
		fails("no target group")
		if n := sim.Count(); n != 0 {
			t.Errorf("%d calls to try again within a minute", n)
		}
		arn := seed(t, sim, "web", map[string]string{"team": "edge"})
		time.Sleep(tagsFor)
		sim.Reset()
		got, err := find(b)
		if diff := cmp.Diff(arn, got); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		if n := sim.Count("DescribeTags"); n > 3+1 {
			t.Errorf("tags of 46 groups were read by %d calls", n)
		}
		seed(t, sim, "web2", map[string]string{"team": "edge"})
		if got, err := find(b); err != nil || got != arn {
			t.Errorf("%v %s: a generation is looked up once", err, got)
		}
		b.SetGeneration(2)
		fails("2 target groups have the tags team=edge, but one is wanted")
	})
}

// TestCallsOf100Bindings is one round of polls, in which the engine asks for a
// reconcile six times a minute.
func TestCallsOf100Bindings(t *testing.T) {
	inBubble(t, func(t *testing.T, sim *awssim.Sim, find func(Binding) (string, error)) {
		var all []Binding
		for i := range 100 {
			arn := seed(t, sim, fmt.Sprintf("web-%d", i), nil)
			all = append(all, binding(fmt.Sprintf("web-%d", i), v1alpha1.TargetGroupBindingParameters{TargetGroupARN: &arn}))
		}
		round := func() int {
			sim.Reset()
			for end := time.Now().Add(poll); time.Now().Before(end); time.Sleep(10 * time.Second) {
				for _, b := range all {
					if _, err := find(b); err != nil {
						t.Fatal(err)
					}
				}
			}
			return sim.Count()
		}
		first, second := round(), round()
		t.Logf("100 bindings that are reconciled 6,000 times in a round: %d calls in the first, %d in the next", first, second)
		if second >= 100 {
			t.Errorf("%d calls in a round, want less than 100", second)
		}
	})
}
