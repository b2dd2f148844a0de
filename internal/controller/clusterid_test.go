package controller

import (
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/cluster/local/localtest"
)

func TestClusterIDIsOneForAllWhoStartTogether(t *testing.T) {
	c := localtest.ControlPlane(t).Client()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "id-"}}

	if err := c.Create(t.Context(), ns); err != nil {
		t.Fatal(err)
	}

	ids := make([]string, 8)

	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() {
			id, err := ClusterID(t.Context(), c, ns.Name, "")
			if err != nil {
				t.Error(err)
			}

			ids[i] = id
		})
	}

	all.Wait()

	for _, id := range ids {
		if id != ids[0] || id == "" {
			t.Fatalf("replicas that start together must not disown each other's resources: %q", ids)
		}
	}

	if got, err := ClusterID(t.Context(), c, ns.Name, "given"); got != "given" || err != nil {
		t.Errorf("--cluster-id wins: %q, %v", got, err)
	}

	if _, err := ClusterID(t.Context(), c, ns.Name, "no id"); err == nil || !strings.Contains(err.Error(), "--cluster-id") {
		t.Errorf("a bad id is refused by the flag's name: %v", err)
	}
}

func TestReferenceToInactiveKindSaysHowToActivateIt(t *testing.T) {
	r := Resolver{Active: func(schema.GroupVersionKind) bool { return false }}
	_, err := r.One(t.Context(), tg(), Link{To: TargetGroupARN, Field: "targetGroupArn", Ref: &v1alpha1.Reference{Name: "edge"}})

	want := "targetGroupArnRef: kind TargetGroup.nlb.m.crossplane.io is not active: activate targetgroups.nlb.m.crossplane.io in a ManagedResourceActivationPolicy"
	if w := asWaiting(err); w == nil || w.Error() != want {
		t.Errorf("got %v, want to wait with %q", err, want)
	}
}
