package targetgroupbinding

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/rest"

	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/binder"
	"github.com/provider-nlb/provider-nlb/internal/clusters"
)

// TestPodsWithoutHostNetworkAreCountedOnceForEachGeneration, and then at the poll
// interval, by a List of the metadata of at most ten.
func TestPodsWithoutHostNetworkAreCountedOnceForEachGeneration(t *testing.T) {
	var asked []string
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RequestURI())
		if !strings.Contains(r.Header.Get("Accept"), "PartialObjectMetadataList") {
			t.Errorf("whole pods are asked for: %s", r.Header.Get("Accept"))
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(metav1.PartialObjectMetadataList{
			TypeMeta: metav1.TypeMeta{APIVersion: "meta.k8s.io/v1", Kind: "PartialObjectMetadataList"},
			Items:    []metav1.PartialObjectMetadata{{}, {}, {}},
		})
	}))
	defer api.Close()
	cluster, err := clusters.New(clusters.Options{Config: &rest.Config{Host: api.URL}, Log: logging.NewNopLogger()})
	if err != nil {
		t.Fatal(err)
	}
	e := &external{connector: &connector{cluster: cluster, hints: newMemo[string](poll)}}
	b := binding("web", v1alpha1.TargetGroupBindingParameters{PodSelector: &v1alpha1.PodSelector{
		LabelSelector: metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}, Port: intstr.FromInt32(8443),
	}})
	counted := func(times int, why string) {
		t.Helper()
		for range 6 {
			want := "3 pods match, none uses hostNetwork: set spec.hostNetwork: true in the pods"
			if diff := cmp.Diff(want, e.hint(t.Context(), b, binder.Snapshot{})); diff != "" {
				t.Errorf("-want, +got:\n%s", diff)
			}
		}
		if len(asked) != times {
			t.Errorf("%s: %d Lists, want %d", why, len(asked), times)
		}
	}
	counted(1, "a generation is looked at once")
	b.SetGeneration(2)
	counted(2, "so is the next one")
	kept := e.hints.kept[b.GetUID()]
	kept.at = time.Now().Add(-poll)
	e.hints.kept[b.GetUID()] = kept
	counted(3, "and again after a poll interval")
	if diff := cmp.Diff("/api/v1/namespaces/edge/pods?fieldSelector=spec.hostNetwork%3Dfalse&labelSelector=app%3Dweb&limit=10", asked[0]); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
}

// TestAServiceThatSelectsNothingIsNotBlamedOnThePods: its selector matches them, and
// its port does not fit the target group.
func TestAServiceThatSelectsNothingIsNotBlamedOnThePods(t *testing.T) {
	var events []string
	e := told(&events)
	b := binding("web", v1alpha1.TargetGroupBindingParameters{ServiceRef: &v1alpha1.ServiceReference{Name: "web", Port: intstr.FromString("https")}})
	e.hints = newMemo[string](poll)
	e.hints.put(b, "", "4 pods match, none uses hostNetwork: set spec.hostNetwork: true in the pods")
	e.twin = func(Binding) Binding { return binding("older", v1alpha1.TargetGroupBindingParameters{}) }
	says := func(ready binder.Condition) []string {
		var types []string
		e.report(t.Context(), b, binder.Snapshot{Generation: 1, Conditions: []binder.Condition{ready}}, true)
		for _, c := range b.ObservedState().Conditions {
			types = append(types, string(c.Type)+" "+string(c.Reason))
		}
		return types
	}
	nothing := binder.Condition{Type: "Ready", Reason: reasonNothingSelected, Message: "Service edge/web has port https (443/TCP), which does not fit the target group's protocol UDP"}
	if diff := cmp.Diff([]string{"Ready NothingSelected"}, says(nothing)); diff != "" {
		t.Errorf("it has no pods, so none without hostNetwork and none that others select: -want, +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Ready Available", "Skipped NotHostNetwork", "SharesPods SelectedTwice"}, says(ready())); diff != "" {
		t.Errorf("with a port that fits both are told: -want, +got:\n%s", diff)
	}
}
