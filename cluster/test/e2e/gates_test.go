package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/clusters"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

const gatePrefix = "target-health.nlb.crossplane.io/"

// A rollout is a Deployment of hostNetwork pods whose gates name a binding, and the
// binding's target group.
type rollout struct {
	*world
	name string
	arn  string
	b    binding
	// gated is the binding that the pods' gates name.
	gated string
	// zone that pods must be in; empty for any.
	zone string
	d    *appsv1.Deployment
}

// rollout makes a target group with a listener.
func (w *world) rollout(t *testing.T, name string, port int32) *rollout {
	sub := w.of(t)
	sub.port = port
	r := &rollout{world: sub, name: name}
	r.arn = r.group(name)
	return r
}

// bound makes the rollout's binding.
func (r *rollout) bound(change ...func(binding)) {
	r.t.Helper()
	r.b = r.binding(r.name, parameters{TargetGroupARN: &r.arn, PodSelector: podsWith(r.name, named(portName))})
	for _, f := range change {
		f(r.b)
	}
	r.apply(r.b)
	r.gated = r.b.GetName()
}

// everybodys selects the nodes that are instances in the region of every test. Those
// of a test that adds nodes of its own are in its region only.
func everybodys(t *testing.T) map[string]string {
	t.Helper()
	labelled.Do(func() {
		nodes := &corev1.NodeList{}
		err := it.Client().List(t.Context(), nodes)
		for _, n := range nodes.Items {
			if err == nil && strings.HasPrefix(n.Name, "node-") {
				err = it.LabelNodes(t.Context(), "of", "everybody", n.Name)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	return map[string]string{"of": "everybody"}
}

var labelled sync.Once

// deploy creates the Deployment: it replaces pods one by one, a new one first.
func (r *rollout) deploy(replicas int32) {
	r.t.Helper()
	labels := map[string]string{appLabel: r.name}
	r.d = &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: r.ns, Name: r.name},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Strategy: appsv1.DeploymentStrategy{RollingUpdate: &appsv1.RollingUpdateDeployment{
				MaxSurge: ptr(intstr.FromInt32(1)), MaxUnavailable: ptr(intstr.FromInt32(0)),
			}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					HostNetwork:    true,
					ReadinessGates: []corev1.PodReadinessGate{{ConditionType: corev1.PodConditionType(gatePrefix + r.gated)}},
					Containers: []corev1.Container{{
						Name: "proxy", Image: "registry.k8s.io/pause:3.10",
						Ports: []corev1.ContainerPort{{Name: portName, ContainerPort: r.port}},
					}},
				},
			},
		},
	}
	r.d.Spec.Template.Spec.NodeSelector = everybodys(r.t)
	if r.zone != "" {
		r.d.Spec.Template.Spec.NodeSelector[corev1.LabelTopologyZone] = r.zone
	}
	r.create(r.d)
}

// ends waits until the rollout is done.
func (r *rollout) ends(within time.Duration) {
	r.t.Helper()
	r.within(within, "the rollout ends", func(ctx context.Context) error {
		if err := it.Client().Get(ctx, client.ObjectKeyFromObject(r.d), r.d); err != nil {
			return err
		}
		n, s := *r.d.Spec.Replicas, r.d.Status
		if s.ObservedGeneration != r.d.Generation || s.UpdatedReplicas != n || s.AvailableReplicas != n || s.Replicas != n {
			return fmt.Errorf("replicas %d, updated %d, available %d of %d; gates: %s", s.Replicas, s.UpdatedReplicas, s.AvailableReplicas, n, r.shown(ctx))
		}
		return nil
	})
}

// pods of the rollout that do not end.
func (r *rollout) pods(ctx context.Context) ([]corev1.Pod, error) {
	list := &corev1.PodList{}
	err := it.Client().List(ctx, list, client.InNamespace(r.ns), client.MatchingLabels{appLabel: r.name})
	var out []corev1.Pod
	for _, p := range list.Items {
		if p.DeletionTimestamp.IsZero() {
			out = append(out, p)
		}
	}
	return out, err
}

// gate of a pod; the zero condition if it is not set.
func (r *rollout) gate(p corev1.Pod) corev1.PodCondition {
	for _, c := range p.Status.Conditions {
		if string(c.Type) == gatePrefix+r.gated {
			return c
		}
	}
	return corev1.PodCondition{}
}

func (r *rollout) shown(ctx context.Context) string {
	pods, err := r.pods(ctx)
	var all []string
	for _, p := range pods {
		c := r.gate(p)
		all = append(all, fmt.Sprintf("%s on %s: %s %s: %s", p.Name, p.Spec.NodeName, c.Status, c.Reason, c.Message))
	}
	return fmt.Sprint(strings.Join(all, "; "), err)
}

// say waits until every pod's gate says that.
func (r *rollout) say(status corev1.ConditionStatus, reasons ...string) {
	r.t.Helper()
	r.eventually("the gates say so", func(ctx context.Context) error {
		pods, err := r.pods(ctx)
		if err != nil || len(pods) == 0 {
			return fmt.Errorf("no pods (%w)", err)
		}
		for _, p := range pods {
			c := r.gate(p)
			if c.Status != status || !contains(reasons, c.Reason) || c.Message == "" || c.LastTransitionTime.IsZero() {
				return fmt.Errorf("want %s %q, got %s", status, reasons, r.shown(ctx))
			}
		}
		return nil
	})
}

func contains(all []string, one string) bool {
	for _, s := range all {
		if strings.HasPrefix(one, s) {
			return true
		}
	}
	return false
}

// warned checks the Events of the pods about their gates.
func (r *rollout) warned(want bool) {
	r.t.Helper()
	check := func(ctx context.Context) error {
		pods, err := r.pods(ctx)
		if err != nil {
			return err
		}
		for _, p := range pods {
			events, err := r.events(ctx, &p)
			if err != nil {
				return err
			}
			told := false
			for _, e := range events {
				told = told || strings.HasPrefix(e, "Warning ReadinessGateOpened")
			}
			if told != want {
				return fmt.Errorf("pod %s has the Events %q, want a warning about its gate: %t", p.Name, events, want)
			}
		}
		return nil
	}
	if want {
		r.eventually("it is said on the pod", check)
	} else if err := check(r.t.Context()); err != nil {
		r.t.Error(err)
	}
}

// accepting says whether processes accept on the rollout's port, on any node.
func (r *rollout) accepting(yes bool) {
	r.t.Helper()
	for i := range nodes {
		it.Sim.SetAccepting(r.instance(nodeName(i)), r.port, yes)
	}
}

// TestGates: each row of binding.md §9 that takes no ten minutes, with a real rollout
// that ends.
func TestGates(t *testing.T) {
	rows := []struct {
		name, reason string
		run          func(r *rollout)
		// opens is the reason that the gates have in the end.
		opens  string
		warned bool
	}{
		{
			"Healthy", "pods are ready when AWS calls their targets healthy, and old pods go only then",
			func(r *rollout) {
				r.bound()
				r.deploy(2)
				r.ends(patience)
				r.say(corev1.ConditionTrue, "Healthy")
				r.noGap(func() {
					r.patch(r.d, `{"spec":{"template":{"metadata":{"annotations":{"example.org/version":"2"}}}}}`)
					r.ends(patience)
				})
			},
			"Healthy", false,
		},
		{
			"Unhealthy", "a pod that does not pass AWS's health check holds the rollout back until it does",
			func(r *rollout) {
				r.accepting(false)
				r.bound()
				r.deploy(1)
				r.say(corev1.ConditionFalse, "Target.FailedHealthChecks", "Target.Timeout")
				r.accepting(true)
				r.ends(patience)
			},
			"Healthy", false,
		},
		{
			"NotInUse", "no listener forwards to the group",
			func(r *rollout) {
				arn, err := it.Sim.SeedTargetGroup(awssim.TargetGroupSeed{Region: r.region, VPC: stack.VPC, Name: r.unique("alone"), Protocol: "TCP", Port: r.port})
				if err != nil {
					r.t.Fatal(err)
				}
				r.arn = arn
				r.bound()
				r.deploy(1)
				r.ends(patience)
			},
			"NotInUse", false,
		},
		{
			"ZonalShift", "no gate depends on health in a zone that traffic is kept from",
			func(r *rollout) {
				r.shiftAway()
				r.accepting(false)
				r.bound()
				r.deploy(1)
				r.ends(patience)
			},
			"ZonalShift", false,
		},
		{
			"SkippedForGood", "the pod has no port of that name, and waiting gives it none",
			func(r *rollout) {
				r.bound(func(b binding) { b.ForProvider().PodSelector.Port = named("metrics") })
				r.deploy(1)
				r.ends(patience)
			},
			"NoSuchPort", true,
		},
		{
			"Paused", "a paused binding looks after nobody",
			func(r *rollout) {
				r.bound(func(b binding) { b.SetAnnotations(map[string]string{"crossplane.io/paused": "true"}) })
				r.deploy(1)
				r.ends(patience)
			},
			"BindingPaused", true,
		},
		{
			"PausedWhilePodsWait", "nor does one that is paused in the middle of a rollout",
			func(r *rollout) {
				r.accepting(false)
				r.bound()
				r.deploy(1)
				r.say(corev1.ConditionFalse, "Target.")
				r.annotate(r.b, "crossplane.io/paused", "true")
				r.ends(patience)
			},
			"BindingPaused", true,
		},
		{
			"Deleted", "gates True first, then the targets go",
			func(r *rollout) {
				r.accepting(false)
				r.bound()
				r.deploy(1)
				r.say(corev1.ConditionFalse, "Target.")
				stop := watchers.watchFor("DeregisterTargets", r.arn, func() {
					if pods, err := r.pods(context.Background()); err == nil && len(pods) == 1 && r.gate(pods[0]).Status != corev1.ConditionTrue {
						r.t.Errorf("targets left before the gate was open: %+v", r.gate(pods[0]))
					}
				})
				defer stop()
				r.remove(r.b)
				r.ends(patience)
				r.gone("the binding is gone", r.b)
				r.holds("and its targets", r.arn)
			},
			"BindingDeleted", true,
		},
		{
			"Orphaned", "the runtime ends an orphaning deletion by itself",
			func(r *rollout) {
				r.accepting(false)
				r.bound(func(b binding) {
					b.SetManagementPolicies(xpv2.ManagementPolicies{xpv2.ManagementActionObserve, xpv2.ManagementActionCreate, xpv2.ManagementActionUpdate})
				})
				r.deploy(1)
				r.say(corev1.ConditionFalse, "Target.")
				r.remove(r.b)
				r.ends(patience) // An absence of two minutes would have another reason.
				r.gone("the binding is gone", r.b)
			},
			"BindingDeleted", true,
		},
		{
			"Absent", "there is no such binding, for two minutes",
			func(r *rollout) {
				r.gated = r.binding(r.name, parameters{}).GetName()
				began := time.Now()
				r.deploy(1)
				r.ends(2*time.Minute + patience)
				if took := time.Since(began); took < 2*time.Minute {
					r.t.Errorf("the rollout ended after %s: the binding might have come", took)
				}
			},
			"BindingNotFound", true,
		},
		{
			"NotSelected", "the gate names a binding of other pods",
			func(r *rollout) {
				r.bound(func(b binding) {
					b.ForProvider().PodSelector.LabelSelector = podsWith("other", named(portName)).LabelSelector
				})
				r.deploy(1)
				r.ends(2*time.Minute + patience)
			},
			"NotSelected", true,
		},
	}
	bothScopes(t, func(t *testing.T, w *world) {
		for i, row := range rows {
			t.Run(row.name, func(t *testing.T) {
				t.Parallel()
				r := w.rollout(t, strings.ToLower(row.name), w.port+int32(i%10))
				row.run(r)
				r.say(corev1.ConditionTrue, row.opens)
				r.warned(row.warned)
				if t.Failed() {
					t.Logf("reason: %s", row.reason)
				}
			})
		}
	})
}

// TestGatesThatCannotBeDecidedOpenAfterTenMinutes takes that long, beside the others.
func TestGatesThatCannotBeDecidedOpenAfterTenMinutes(t *testing.T) {
	bothScopes(t, func(t *testing.T, w *world) {
		rows := map[string]func(r *rollout){
			"AWSUnreadable": func(r *rollout) {
				t.Cleanup(it.Sim.Fault(awssim.Fault{Action: "DescribeTargetHealth", Contains: r.arn, Effect: awssim.Deny}))
				r.bound()
			},
			"BindingInactive": func(r *rollout) {
				r.bound(func(b binding) { w.using(b, "missing") })
			},
		}
		for want, prepare := range rows {
			t.Run(want, func(t *testing.T) {
				t.Parallel()
				port := w.port
				if want == "BindingInactive" {
					port++
				}
				r := w.rollout(t, strings.ToLower(want), port)
				prepare(r)
				began := time.Now()
				r.deploy(1)
				if want == "AWSUnreadable" {
					r.say(corev1.ConditionFalse, want)
				}
				r.ends(10*time.Minute + patience)
				if took := time.Since(began); took < 10*time.Minute {
					t.Errorf("the rollout ended after %s", took)
				}
				r.say(corev1.ConditionTrue, want)
				r.warned(true)
			})
		}
	})
}

// TestGatesWithoutPermission is not parallel: no gate of any test can be set.
func TestGatesWithoutPermission(t *testing.T) {
	w := newWorld(t, inNamespace)
	role := &rbacv1.ClusterRole{}
	if err := it.Client().Get(t.Context(), client.ObjectKey{Name: "provider-nlb"}, role); err != nil {
		t.Fatal(err)
	}
	granted := role.DeepCopy()
	role.Rules = []rbacv1.PolicyRule{role.Rules[0]}
	if diff := cmp.Diff([]string{"pods", "nodes", "services"}, role.Rules[0].Resources); diff != "" {
		t.Fatal(diff)
	}
	grant := func() {
		_ = it.Client().Get(context.Background(), client.ObjectKeyFromObject(role), role)
		role.Rules = granted.Rules
		if err := it.Client().Update(context.Background(), role); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(grant)
	if err := it.Client().Update(t.Context(), role); err != nil {
		t.Fatal(err)
	}

	r := w.rollout(t, "mute", w.port)
	r.bound()
	r.deploy(1)
	r.told("verb, resource and the file to apply are named", r.b, message{
		condition: "GatesNotSet=True", says: []string{"verb patch on pods/status", "apply examples/gitops/packages/rbac.yaml"},
	})
	r.ready(r.b)
	pods, err := r.pods(t.Context())
	if err != nil || len(pods) != 1 {
		t.Fatalf("%d pods (%v)", len(pods), err)
	}
	r.holds("nothing else breaks", r.arn, r.target(pods[0].Spec.NodeName, r.port))

	grant()
	began := time.Now()
	r.ends(patience)
	t.Logf("the rollout ended %s after the grant", time.Since(began).Round(100*time.Millisecond))
	r.say(corev1.ConditionTrue, "Healthy")
	r.without("the condition goes", r.b, "GatesNotSet")
}

// TestAGateIsOfOnePod: a patch that names another UID changes nothing. This is what
// keeps the gate of a pod that is gone from opening that of its namesake.
func TestAGateIsOfOnePod(t *testing.T) {
	t.Parallel()
	w := newWorld(t, inNamespace)
	pod := w.pod("a", 0, func(p *corev1.Pod) {
		p.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: gatePrefix + "nobody"}}
	})
	c, err := clusters.New(clusters.Options{Config: it.Config()})
	if err != nil {
		t.Fatal(err)
	}
	ref := targets.PodRef{Namespace: pod.Namespace, Name: pod.Name, UID: string(pod.UID)}
	another := ref
	another.UID = "another"
	verdict := targets.GateVerdict{Status: targets.GateFalse, Reason: "Test", Message: "by a test", Turns: true}
	if err := c.SetGate(t.Context(), another, "nobody", verdict); !errors.Is(err, clusters.ErrPodGone) {
		t.Errorf("another UID: %v, want %v", err, clusters.ErrPodGone)
	}
	r := &rollout{world: w, gated: "nobody"}
	for _, want := range []corev1.ConditionStatus{"", corev1.ConditionFalse} {
		if err := it.Client().Get(t.Context(), client.ObjectKeyFromObject(pod), pod); err != nil {
			t.Fatal(err)
		}
		if got := r.gate(*pod).Status; got != want {
			t.Errorf("the gate is %q, want %q", got, want)
		}
		if err := c.SetGate(t.Context(), ref, "nobody", verdict); err != nil {
			t.Error(err)
		}
	}
}

// noGap checks, while pods are replaced, that AWS never holds fewer healthy targets
// than there are replicas.
func (r *rollout) noGap(replace func()) {
	r.t.Helper()
	stop, least := make(chan struct{}), make(chan int)
	go func() {
		lowest := 1 << 20
		for {
			healthy := 0
			for _, t := range it.Sim.Targets(r.arn) {
				if t.State == awssim.Healthy {
					healthy++
				}
			}
			lowest = min(lowest, healthy)
			select {
			case <-stop:
				least <- lowest
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	replace()
	close(stop)
	if got := <-least; got < int(*r.d.Spec.Replicas) {
		r.t.Errorf("AWS held %d healthy targets at some time, want %d always", got, *r.d.Spec.Replicas)
	}
}

// watchFor lets f be called before each call of an action about a group.
func (o *onCall) watchFor(action, arn string, f func()) (stop func()) {
	return o.watch(arn, func(c awssim.Call) {
		if c.Action == action {
			f()
		}
	})
}

// shiftAway puts the rollout's group behind a load balancer with one zone, which
// traffic is kept from; pods go to nodes of that zone.
func (r *rollout) shiftAway() {
	r.t.Helper()
	lb, err := it.Sim.SeedLoadBalancer(awssim.LoadBalancerSeed{
		Region: r.region, Name: r.unique("shift"), Subnets: stack.Subnets[:1],
		Attributes: map[string]string{"zonal_shift.config.enabled": "true"},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	if r.arn, err = it.Sim.SeedTargetGroup(awssim.TargetGroupSeed{Region: r.region, VPC: stack.VPC, Name: r.unique("shifted"), Protocol: "TCP", Port: r.port}); err != nil {
		r.t.Fatal(err)
	}
	if _, err := it.Sim.SeedListener(lb, "TCP", r.port, r.arn); err != nil {
		r.t.Fatal(err)
	}
	r.zone = stack.Zones[0]
	end, err := it.Sim.ShiftAway(lb, r.zone)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(end)
}
