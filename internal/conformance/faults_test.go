package conformance

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	clusterapi "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespacedapi "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

// noise is what AWS adds to a message, different each time.
const noise = " (Request ID: 12345678-1234-1234-1234-123456789012)"

// A refusal is how AWS answers a call, by the class of its code.
type refusal struct {
	reason string
	class  aws.Class
	effect awssim.Effect
	// code of ELBv2 and of EC2, if the effect is Answer.
	code, ec2Code string
	// attempts that the SDK makes of a call before it is an error.
	attempts int
	// times that AWS refuses; 0 is until the test has seen another try. Each
	// throttled try halves our rate, so that there is no end of waiting.
	times int
}

func refusals() map[string]refusal {
	return map[string]refusal{
		"Throttled":  {"Too many calls of the account: later it works.", aws.ClassThrottled, awssim.Throttle, "", "", 3, 3},
		"Transient":  {"AWS fails: later it works.", aws.ClassTransient, awssim.InternalFailure, "", "", 3, 0},
		"Denied":     {"Somebody has to allow it.", aws.ClassDenied, awssim.Deny, "", "", 1, 0},
		"Expired":    {"Somebody has to renew the credentials.", aws.ClassDenied, awssim.Answer, "ExpiredToken", "RequestExpired", 1, 0},
		"Quota":      {"Somebody has to raise it.", aws.ClassQuota, awssim.Answer, "TooManyTags", "ResourceLimitExceeded", 1, 0},
		"Dependency": {"What it refers to may come.", aws.ClassDependency, awssim.Answer, "SubnetNotFound", "InvalidVpcID.NotFound", 1, 0},
		"Conflict":   {"AWS is changing it.", aws.ClassConflict, awssim.Answer, "PriorRequestNotComplete", "IncorrectState", 1, 0},
		"Unknown":    {"A code to come is no reason to give up.", aws.ClassUnknown, awssim.Answer, "BrandNew", "BrandNew", 1, 0},
		"Terminal":   {"Only another spec helps.", aws.ClassTerminal, awssim.Answer, "ValidationError", "InvalidParameterValue", 1, 0},
	}
}

// everyRefusal runs a law for every kind and refusal, in one scope each: every kind
// and every refusal come in both.
func everyRefusal(t *testing.T, law func(t *testing.T, w *world, r refusal)) {
	t.Helper()
	t.Parallel()

	c := provider(t)
	scopes := []schema.GroupVersion{namespacedapi.SchemeGroupVersion, clusterapi.SchemeGroupVersion}

	for i, name := range slices.Sorted(keys(refusals())) {
		for j, k := range table() {
			if k.name == bindingKind && slices.Contains([]string{"Quota", "Dependency", "Terminal", "Throttled"}, name) {
				// A target that AWS refuses, and a full quota, are left alone for a
				// minute, and throttling that ends within 30 s need not be told: the
				// engine's own tests have these, on its clock.
				continue
			}

			gv := scopes[(i+j)%len(scopes)]
			t.Run(k.name+"."+name+"."+gv.Group, func(t *testing.T) {
				t.Parallel()
				law(t, newWorld(t, c, k, gv), refusals()[name])
			})
		}
	}
}

func keys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// refuse lets AWS answer all calls of an action with a refusal.
func (w *world) refuse(t *testing.T, action string, r refusal) (stop func()) {
	t.Helper()
	w.Sim.Reset()

	code := r.code
	if isEC2(action) {
		code = r.ec2Code
	}

	stop = w.Sim.Fault(awssim.Fault{Action: action, Times: r.times, Effect: r.effect, Code: code, Message: "AWS does not do that" + noise})
	t.Cleanup(stop)

	return stop
}

// answered is the code that AWS answered calls of an action with.
func (w *world) answered(action string) string {
	for _, c := range w.calls(action) {
		if c.Code != "" {
			return c.Code
		}
	}

	return ""
}

// isBinding: the engine of bindings makes the calls that change AWS, and what it
// cannot do is no error of the object's reconcile.
func (w *world) isBinding() bool { return w.kind.name == bindingKind }

const bindingKind = "TargetGroupBinding"

// told returns the condition that says what failed.
func (w *world) told(mg resource.Managed, action, code string) (xpv2.Condition, bool) {
	c := mg.GetCondition(xpv2.TypeSynced)

	switch {
	case w.isBinding() && action == w.kind.remove:
		c = mg.GetCondition(controller.TypeDeletionBlocked)
	case w.isBinding() && action != w.kind.describe:
		c = mg.GetCondition(xpv2.TypeReady)
	}

	// What is not sent at all, since we are throttled, is told in our own words.
	ours := code == w.throttling(action) && strings.Contains(c.Message, "our share of AWS's request rate")

	return c, code != "" && (strings.Contains(c.Message, code) || ours)
}

func (w *world) throttling(action string) string {
	if isEC2(action) {
		return "RequestLimitExceeded"
	}

	return "Throttling"
}

func isEC2(action string) bool {
	return action != "SetSecurityGroups" && strings.Contains(action, "SecurityGroup") || strings.HasSuffix(action, "teTags")
}

// varying is what must not stand in a message: ids of requests, times, ports of
// connections and numbers of attempts.
var varying = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-|\d\d:\d\d:\d\d|\d{8}T\d{6}|127\.0\.0\.1|(?i)attempt|request ?id`)

// suffers lets AWS refuse an action, does what makes the provider call it, and
// checks what is said, how often it is tried and what a try costs.
func (w *world) suffers(t *testing.T, mg resource.Managed, action string, r refusal, do func()) {
	t.Helper()

	if w.isBinding() && action != w.kind.describe {
		r.attempts = 1 // The engine lets no SDK try again.
	}

	stop := w.refuse(t, action, r)
	do()

	var said xpv2.Condition

	w.Until(t, mg, "told of "+action, func() (ok bool) {
		said, ok = w.told(mg, action, w.answered(action))

		return ok
	})

	if varying.MatchString(said.Message) {
		t.Errorf("%s: each try would have another message: %q", action, said.Message)
	}

	stalled := r.class == aws.ClassTerminal && !w.isBinding()
	if got := kindtest.Is(mg, controller.TypeStalled, "True"); got != stalled {
		t.Errorf("%s\n%s: Stalled is %v, want %v: %s", r.reason, action, got, stalled, said.Message)
	}

	if !stalled && r.times == 0 {
		eventually(t, "another try of "+action, func() bool { return len(w.calls(action)) > r.attempts })
		w.Until(t, mg, "told again", func() bool { return true })

		if again, _ := w.told(mg, action, w.answered(action)); again.Message != said.Message {
			t.Errorf("%s: the second try says something else: %q, then %q", action, said.Message, again.Message)
		}
	}

	w.costs(t, action, r)
	w.quiet(t, mg)
	stop()

	if stalled {
		// Nothing but a change, or the next poll, brings another try.
		if got := len(w.calls(action)); got != r.attempts {
			t.Errorf("%s: AWS was asked %d times for what it will never do", action, got)
		}

		w.annotate(t, mg, "test/changed", action)
	}
}

// reads is the most that a try may read: the thing itself by id and by name, its
// tags, its attributes and what else is managed.
const reads = 6

// costs: a try is one call besides what it reads, and nothing else is changed. What is
// read after the second try has begun is not counted: a binding's health is read all the
// time, and tries become rare.
func (w *world) costs(t *testing.T, action string, r refusal) {
	t.Helper()

	made, others := 0, 0

	for _, c := range w.calls() {
		switch {
		case c.Action == action:
			made++
		case c.Action != "GetCallerIdentity" && made <= r.attempts:
			others++
		}
	}

	tries := min(made/r.attempts+1, 2)
	if others > reads*tries {
		t.Errorf("%d tries of %s cost %d other calls, want at most %d each", tries, action, others, reads)
	}

	if writes := slices.DeleteFunc(w.writes(), func(a string) bool { return a == action }); len(writes) > 0 {
		t.Errorf("%s fails, but AWS was changed by %v", action, writes)
	}
}

// quiet: the same failure is one Event, however often it is tried.
func (w *world) quiet(t *testing.T, mg resource.Managed) {
	t.Helper()

	for text, n := range w.warnings(t, mg) {
		if n > 1 {
			t.Errorf("said %d times: %s", n, text)
		}
	}
}

func (w *world) noWarnings(t *testing.T, mg resource.Managed) {
	t.Helper()

	for text := range w.warnings(t, mg) {
		t.Errorf("waiting is no failure, but there is an Event: %s", text)
	}
}

// warnings are the Events of an object that say what failed, and how often.
func (w *world) warnings(t *testing.T, mg resource.Managed) map[string]int32 {
	t.Helper()

	events := &corev1.EventList{}
	kindtest.Must(t, w.Client.List(t.Context(), events))

	said := map[string]int32{}

	for _, e := range events.Items {
		if e.InvolvedObject.UID == mg.GetUID() && e.Type == corev1.EventTypeWarning {
			said[e.Reason+": "+e.Message] += max(e.Count, 1)
		}
	}

	return said
}

func TestRefusedCallsAreToldTriedAgainAndHealed(t *testing.T) {
	everyRefusal(t, func(t *testing.T, w *world, r refusal) {
		mg := w.minimal(t)
		w.suffers(t, mg, w.kind.describe, r, func() { w.Create(t, mg) })
		w.UntilApplied(t, mg)

		w.suffers(t, mg, w.kind.modify, r, func() { w.Change(t, mg, func() { w.kind.change(w, mg) }) })
		w.UntilApplied(t, mg)

		if !w.kind.changed(t, w) {
			t.Error("it is said to be applied, but AWS does not have the change")
		}
	})
}

func TestRefusedCreationIsToldTriedAgainAndHealed(t *testing.T) {
	everyRefusal(t, func(t *testing.T, w *world, r refusal) {
		mg := w.minimal(t)
		w.suffers(t, mg, w.kind.create, r, func() { w.Create(t, mg) })
		w.UntilApplied(t, mg)

		if got := w.kind.found(t, w); len(got) != 1 {
			t.Errorf("AWS has %v, want one", got)
		}

		w.suffers(t, mg, w.kind.remove, r, func() { kindtest.Must(t, w.Client.Delete(t.Context(), mg)) })
		w.UntilGone(t, mg)

		if got := w.kind.found(t, w); len(got) != 0 {
			t.Errorf("AWS still has %v", got)
		}
	})
}
