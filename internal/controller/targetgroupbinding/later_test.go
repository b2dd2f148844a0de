package targetgroupbinding

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/binder"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// TestAfterARestartTagsAndAttributesAreReadLater: what a process has bound, the next
// one serves after one call for many groups; what it does not know yet it says.
func TestAfterARestartTagsAndAttributesAreReadLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := awssim.New(awssim.Options{})
		t.Cleanup(sim.Close)
		access, err := aws.NewPool(aws.PoolOptions{HTTP: sim}).Access(t.Context(), aws.Config{
			Credentials: aws.Credentials{Source: aws.SourceSecret, Static: aws.StaticCredentials{
				AccessKeyID: awssim.DefaultKey.ID, SecretAccessKey: awssim.DefaultKey.Secret,
			}},
			EndpointURL: "http://aws.test",
		}, "eu-west-1")
		if err != nil {
			t.Fatal(err)
		}
		arn := seed(t, sim, "edge", map[string]string{controller.TagCluster: "here"})
		b := &namespaced.TargetGroupBinding{}
		b.SetUID("edge")
		b.Spec.ForProvider.TargetGroupARN = &arn
		b.Status.AtProvider.TargetGroupARN = arn

		notified := 0
		c := &connector{engine: binder.New(binder.Options{}), looked: newMemo[bool](0), later: newLater(), notify: func(binder.Ref) { notified++ }}
		c.options.PollInterval, c.options.ClusterID = poll, "here"
		look := func() foundGroup {
			found, err := (&external{connector: c, access: access}).group(t.Context(), b)
			if err != nil {
				t.Fatal(err)
			}
			return found
		}
		for _, action := range []string{"DescribeTags", "DescribeTargetGroupAttributes"} {
			sim.Fault(awssim.Fault{Action: action, Effect: awssim.Delay, Delay: 5 * time.Second})
		}
		began := time.Now()
		want := foundGroup{Group: targets.Group{
			ARN: arn, Protocol: "TCP", Type: targets.TypeInstance,
			Check: targets.HealthCheck{Protocol: "TCP", Port: "traffic-port", Interval: 30 * time.Second, Unhealthy: 2},
		}, drain: defaultDrain, provisional: true}
		if diff := cmp.Diff(want, look(), cmp.AllowUnexported(foundGroup{}), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("the first look (-want, +got):\n%s", diff)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("the first look took %s: it waited for tags or attributes", took)
		}
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if notified != 1 {
			t.Errorf("%d reconciles were asked for, want 1", notified)
		}
		want.Ours, want.EndsUnhealthy, want.provisional = true, true, false
		for range 2 {
			if diff := cmp.Diff(want, look(), cmp.AllowUnexported(foundGroup{}), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("the looks after it (-want, +got):\n%s", diff)
			}
		}
		if got := sim.Count("DescribeTags", "DescribeTargetGroupAttributes"); got != 2 {
			t.Errorf("tags and attributes took %d calls, want 2", got)
		}
	})
}

// TestANewBindingKnowsItsGroup: the first look at a binding that no process has
// served is at all of it, and nothing is unlearned after it.
func TestANewBindingKnowsItsGroup(t *testing.T) {
	inBubble(t, func(t *testing.T, sim *awssim.Sim, find func(Binding) (string, error)) {
		arn := seed(t, sim, "edge", nil)
		b := &namespaced.TargetGroupBinding{}
		b.SetUID("edge")
		b.Spec.ForProvider.TargetGroupARN = &arn
		for range 3 {
			if _, err := find(b); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if got := sim.Count("DescribeTargetGroupAttributes"); got != 1 {
			t.Errorf("attributes were read %d times, want once, at the first look", got)
		}
	})
}

// TestAfterARestartGroupsAreReadTogether: what 300 bindings look at first, after a
// restart, 50 at a time, takes hardly more calls than one list of the region; and what
// was read before is not taken for an answer.
func TestAfterARestartGroupsAreReadTogether(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		// seen is the generation that the process before has seen.
		seen        int64
		least, most int
	}{
		"SeenBefore":    {"The process before has looked: what was read for another binding will do.", 1, 1, 3},
		"NewGeneration": {"The first look at a generation is at AWS: no answer is from before it.", 0, 4, 15},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, sim *awssim.Sim, find func(Binding) (string, error)) {
				todo := make(chan Binding, 300)
				for i := range 300 {
					id := fmt.Sprintf("web-%d", i)
					arn := seed(t, sim, id, nil)
					b := binding(id, v1alpha1.TargetGroupBindingParameters{TargetGroupARN: &arn})
					b.ObservedState().AtProvider.TargetGroupARN = arn
					b.ObservedState().SetObservedGeneration(tc.seen)
					todo <- b
				}
				close(todo)
				var wg sync.WaitGroup
				for range workers {
					wg.Go(func() {
						for b := range todo {
							if _, err := find(b); err != nil {
								t.Error(err)
							}
						}
					})
				}
				wg.Wait()
				if got := sim.Count("DescribeTargetGroups"); got < tc.least || got > tc.most {
					t.Errorf("%s %d calls, want %d to %d", tc.reason, got, tc.least, tc.most)
				}
				sim.Reset()
				time.Sleep(firstLookFor)
				arn := seed(t, sim, "late", nil)
				late := binding("late", v1alpha1.TargetGroupBindingParameters{TargetGroupARN: &arn})
				late.ObservedState().AtProvider.TargetGroupARN = arn
				late.ObservedState().SetObservedGeneration(1)
				if _, err := find(late); err != nil || sim.Count("DescribeTargetGroups") != 1 {
					t.Errorf("a first look some time later: %v, %d calls, want 1", err, sim.Count("DescribeTargetGroups"))
				}
				time.Sleep(10 * time.Minute) // in which tags and attributes are read
			})
		})
	}
}
