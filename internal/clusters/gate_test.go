package clusters

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

var readySince = time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)

// gated is a pod's edit: a gate of ours, and one of somebody else.
func gated(status corev1.ConditionStatus) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "example.org/other"}, {ConditionType: targets.GatePrefix + "web"}}
		p.Status.Conditions[0].LastTransitionTime = metav1.NewTime(readySince)
		if status != "" {
			p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: targets.GatePrefix + "web", Status: status})
		}
	}
}

func TestGatesOfAPod(t *testing.T) {
	type gates struct {
		Gates      []targets.Gate
		ReadySince time.Time
		Pending    bool
	}
	cases := map[string]struct {
		reason string
		edits  []func(*corev1.Pod)
		want   gates
	}{
		"None": {"a pod without gates of ours costs nothing", nil, gates{}},
		"Unset": {
			"a gate without a condition holds the pod back",
			[]func(*corev1.Pod){gated("")}, gates{[]targets.Gate{{Binding: "web"}}, readySince, true},
		},
		"False": {
			"so does one that says so",
			[]func(*corev1.Pod){gated(corev1.ConditionFalse)}, gates{[]targets.Gate{{Binding: "web", Status: targets.GateFalse}}, readySince, true},
		},
		"Unknown": {
			"and one that says nothing",
			[]func(*corev1.Pod){gated(corev1.ConditionUnknown)}, gates{[]targets.Gate{{Binding: "web", Status: targets.GateFalse}}, readySince, true},
		},
		"True": {
			"that is all there is to do",
			[]func(*corev1.Pod){gated(corev1.ConditionTrue)}, gates{[]targets.Gate{{Binding: "web", Status: targets.GateTrue, Opened: true}}, readySince, false},
		},
		"ContainersNotReady": {
			"since when they are not is no matter here",
			[]func(*corev1.Pod){gated(""), func(p *corev1.Pod) { p.Status.Conditions[0].Status = corev1.ConditionFalse }},
			gates{[]targets.Gate{{Binding: "web"}}, time.Time{}, true},
		},
		"Terminating": {
			"a pod that ends waits for nothing",
			[]func(*corev1.Pod){gated(""), func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{Time: readySince} }},
			gates{[]targets.Gate{{Binding: "web"}}, readySince, false},
		},
		"Over": {
			"nor does one that has ended",
			[]func(*corev1.Pod){gated(""), func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }},
			gates{[]targets.Gate{{Binding: "web"}}, readySince, false},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := (&Cluster{}).trimPod(aPod("a", "node-1", tc.edits...))
			got := gates{p.Gates, p.ReadySince, p.pendingGate()}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestPendingGatesAreWatched(t *testing.T) {
	inWorld(t, Options{}, func(t *testing.T, w *world) {
		var told atomic.Int32
		pending := func() (names []string) {
			synctest.Wait()
			for _, p := range w.PendingGates() {
				names = append(names, p.Name)
			}
			return names
		}
		check := func(reason string, news bool, want ...string) {
			t.Helper()
			if diff := cmp.Diff(want, pending()); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", reason, diff)
			}
			if got := told.Swap(0) > 0; got != news {
				t.Errorf("%s: told %t, want %t", reason, got, news)
			}
		}
		w.pods.put(aPod("plain", "node-1"))
		w.pods.put(aPod("b", "node-1", gated("")))
		w.WatchGates(func() { told.Add(1) })
		check("pods are streamed without any binding", true, "b")
		if w.nodes.lists+w.nodes.watches == 0 || w.services.lists+w.services.watches != 0 {
			t.Error("nodes are, too, since every binding needs them; Services are not")
		}
		w.pods.put(aPod("a", "node-1", gated(corev1.ConditionFalse)))
		check("in order of their names", true, "a", "b")
		w.pods.put(aPod("plain", "node-1", labelled("other")))
		check("pods without gates are no matter", false, "a", "b")
		w.pods.put(aPod("b", "node-1", gated(corev1.ConditionTrue)))
		check("what is True is done", true, "a")
		w.pods.put(aPod("b", "node-1", gated(corev1.ConditionFalse)))
		check("somebody else may have set it back", true, "a", "b")
		if g := w.PendingGates()[1].Gates[0]; !g.Opened {
			t.Error("it is remembered that it was True")
		}
		w.pods.drop(aPod("b", "node-1"))
		check("a pod that is gone waits for nothing", true, "a")
		w.pods.put(aPod("b", "node-1", gated(""), func(p *corev1.Pod) { p.UID = "another" }))
		check("its namesake does", true, "a", "b")
		if g := w.PendingGates()[1].Gates[0]; g.Opened {
			t.Error("a namesake has opened nothing")
		}
		if !w.HasPod(targets.PodRef{Namespace: "edge", Name: "b", UID: "another"}) || w.HasPod(targets.PodRef{Namespace: "edge", Name: "b", UID: "uid-b"}) {
			t.Error("a pod is known by its UID")
		}
	})
}

func TestSetGate(t *testing.T) {
	verdict := targets.GateVerdict{Status: targets.GateTrue, Reason: "Healthy", Message: "AWS calls it healthy", Turns: true}
	cases := map[string]struct {
		reason string
		code   int
		status metav1.StatusReason
		want   string
		// field that is invalid.
		field string
	}{
		"Written":      {"a patch that is accepted", http.StatusOK, "", "", ""},
		"AnotherUID":   {"a namesake is another pod", http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, ErrPodGone.Error(), "metadata.uid"},
		"Conflict":     {"the same, as another API server might say it", http.StatusConflict, metav1.StatusReasonConflict, ErrPodGone.Error(), ""},
		"Invalid":      {"what is wrong with the patch itself is no absence", http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, "cannot set readiness gates of pods: the API server answers Invalid", "status.conditions"},
		"Gone":         {"the pod was deleted meanwhile", http.StatusNotFound, metav1.StatusReasonNotFound, ErrPodGone.Error(), ""},
		"NoPermission": {"verb, resource and file are named", http.StatusForbidden, metav1.StatusReasonForbidden, "cannot set readiness gates of pods: the provider's ServiceAccount lacks permission (verb patch on pods/status); apply rbac.yaml", ""},
		"Broken":       {"in words that are the same each time", http.StatusInternalServerError, metav1.StatusReasonInternalError, "cannot set readiness gates of pods: the API server answers InternalError", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var method, path, contentType string
			var body map[string]any
			server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
				method, path, contentType = r.Method, r.URL.Path, r.Header.Get("Content-Type")
				sent, _ := io.ReadAll(r.Body)
				_ = json.Unmarshal(sent, &body)
				out.Header().Set("Content-Type", "application/json")
				out.WriteHeader(tc.code)
				if tc.status == "" {
					p := aPod("a", "node-1")
					p.Kind, p.APIVersion = "Pod", "v1"
					write(out, p)
					return
				}
				write(out, metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure", Code: int32(tc.code), Reason: tc.status,
					Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Field: tc.field}}}})
			}))
			defer server.Close()
			c, err := New(Options{Config: &rest.Config{Host: server.URL}, PermissionsFile: "rbac.yaml"})
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if err := c.SetGate(context.Background(), targets.PodRef{Namespace: "edge", Name: "a", UID: "uid-a"}, "web", verdict); err != nil {
				got = err.Error()
				if (tc.want == ErrPodGone.Error()) != errors.Is(err, ErrPodGone) {
					t.Errorf("ErrPodGone is %v", err)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff("PATCH /api/v1/namespaces/edge/pods/a/status application/strategic-merge-patch+json", method+" "+path+" "+contentType); diff != "" {
				t.Error(diff)
			}
			condition := body["status"].(map[string]any)["conditions"].([]any)[0].(map[string]any)
			if condition["lastTransitionTime"] == nil {
				t.Error("a gate that turns has a new time")
			}
			delete(condition, "lastTransitionTime")
			want := map[string]any{
				"metadata": map[string]any{"uid": "uid-a"},
				"status": map[string]any{"conditions": []any{map[string]any{
					"type": "target-health.nlb.crossplane.io/web", "status": "True", "reason": "Healthy", "message": "AWS calls it healthy",
				}}},
			}
			if diff := cmp.Diff(want, body); diff != "" {
				t.Errorf("the patch\n-want +got:\n%s", diff)
			}
		})
	}
	kept, err := gatePatch(targets.PodRef{UID: "u"}, "web", targets.GateVerdict{Status: targets.GateFalse, Reason: "Target.Timeout"}, readySince)
	if want := `{"metadata":{"uid":"u"},"status":{"conditions":[{"message":"","reason":"Target.Timeout","status":"False","type":"target-health.nlb.crossplane.io/web"}]}}`; err != nil || string(kept) != want {
		t.Errorf("a gate that only changes its reason keeps its time: %s (%v)", kept, err)
	}
}
