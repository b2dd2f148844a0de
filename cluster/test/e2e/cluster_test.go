package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/cluster/local"
	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
)

// TestTheSameManifestsInASecondCluster: a blue/green or recovery cluster that is
// fed from the same Git must not take over, or fight about, what the first has.
func TestTheSameManifestsInASecondCluster(t *testing.T) {
	t.Parallel()
	first := []*whole{newWorld(t, inNamespace).example(t, 0), newWorld(t, inCluster).example(t, 0)}
	for _, e := range first {
		e.applyAll()
	}
	for _, e := range first {
		e.allReady()
		e.inAWS("the first cluster has it", e.lines()...)
	}

	second, err := stack.Start(t.Context(), stack.Options{Parts: local.APIOnly, ClusterID: "second", Beside: it, Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(second.ProviderLog())
		}
		if err := second.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := second.StartProvider(t.Context(), providerArgs...); err != nil {
		t.Fatal(err)
	}
	for _, e := range first {
		for _, o := range slices.Concat(e.workload, e.managed) {
			if err := second.Client().Apply(t.Context(), client.ApplyConfigurationFromUnstructured(o.DeepCopy()), client.FieldOwner("e2e")); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, e := range first {
		e.eventually("what has an identity in AWS is refused, and the rest waits for it", func(ctx context.Context) error {
			var errs []error
			for _, o := range e.managed {
				if err := refusedIn(ctx, second, o); err != nil {
					errs = append(errs, fmt.Errorf("%s %s: %w", o.GetKind(), o.GetName(), err))
				}
			}
			return errors.Join(errs...)
		})
		e.inAWS("AWS has it once, and as it was", e.lines()...)
		e.allReady()
	}
	for _, c := range it.Sim.Calls() {
		if strings.Contains(c.UserAgent, "cluster/second") && !strings.HasPrefix(c.Action, "Describe") && !strings.HasPrefix(c.Action, "Get") {
			t.Errorf("the second cluster has called %s (%s)", c.Action, c.Code)
		}
	}
}

// refusedIn says why an object in the second cluster is neither refused, naming the
// first cluster and the ways out, nor waiting for one that is.
func refusedIn(ctx context.Context, second *stack.Stack, o *unstructured.Unstructured) error {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(o.GroupVersionKind())
	if err := second.Client().Get(ctx, client.ObjectKeyFromObject(o), u); err != nil {
		return err
	}
	if kind := o.GetKind(); kind != "SecurityGroup" && kind != "TargetGroup" {
		if c := condition(u, "Ready"); c.Reason != "WaitingForReference" {
			return fmt.Errorf("Ready is %+v, want WaitingForReference", c)
		}
		return nil
	}
	c := condition(u, "Stalled")
	if c.Reason != "IdentityTaken" {
		return fmt.Errorf("Stalled is %+v, want IdentityTaken", c)
	}
	says := []string{`another cluster, "local"`, "crossplane.io/external-name", "--cluster-id=local", "spec.forProvider.name"}
	return errors.Join(missing("Stalled", c.Message, says), (&world{}).statusIs(u, status.FailedStatus))
}
