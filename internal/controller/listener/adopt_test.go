package listener_test

import (
	"strings"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"

	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

func TestAdoption(t *testing.T) {
	cases := map[string]struct {
		reason  string
		cluster string
		mutate  func(e *env, arn string) func(obj)
		stalled string
		// named: the external name is the ARN in the end.
		named bool
	}{
		"Ours":         {"A lost response, or an object that was applied again.", kindtest.Cluster, nil, "", true},
		"OtherCluster": {"The same Git in another cluster.", "blue", nil, `another cluster, "blue"`, false},
		"Foreign":      {"Somebody else's is not taken over silently.", "", nil, "otherwise set spec.forProvider.port to another port", false},
		"ByARN":        {"An external name adopts.", "", func(_ *env, arn string) func(obj) { return func(mg obj) { meta.SetExternalName(mg, arn) } }, "", true},
		"OnlyObserve": {"Who changes nothing takes nothing over.", "", func(*env, string) func(obj) {
			return func(mg obj) { mg.SetManagementPolicies(xpv2.ManagementPolicies{"Observe"}) }
		}, "", false},
		"NoARN": {"A listener has no name.", "", func(*env, string) func(obj) { return func(mg obj) { meta.SetExternalName(mg, "https") } }, "is not the ARN of a listener", false},
		"OtherRegion": {"AWS would say only that there is none.", "", func(e *env, _ string) func(obj) {
			other := strings.Replace(e.lb, kindtest.Region, "eu-west-2", 1)

			return func(mg obj) { mg.ForProvider().LoadBalancerARN = &other }
		}, "which is in region eu-west-2, but spec.forProvider.region is " + kindtest.Region + ": name one of that region, or create a new Listener", false},
		"OtherLoadBalancer": {"AWS cannot change it.", "", func(e *env, arn string) func(obj) {
			other := strings.Replace(e.lb, "/edge/", "/other/", 1)

			return func(mg obj) { meta.SetExternalName(mg, arn); mg.ForProvider().LoadBalancerARN = &other }
		}, "spec.forProvider.loadBalancerArn is", true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			bothScopes(t, func(t *testing.T, e *env) {
				tags := map[string]string{"owner": "me"}

				if tc.cluster != "" {
					mg, _ := e.Object(t, "Listener", "https").(obj)
					tags = e.Tags(mg, tc.cluster)
				}

				arn := e.seed(t, tags)
				mutate := func(obj) {}

				if tc.mutate != nil {
					mutate = tc.mutate(e, arn)
				}

				mg := e.listener(t, mutate)

				if tc.stalled == "" {
					e.UntilApplied(t, mg)
				} else if got := e.UntilStalled(t, mg); !strings.Contains(got, tc.stalled) {
					t.Errorf("\n%s\nthe message is %q, want %q in it", tc.reason, got, tc.stalled)
				}

				if got := meta.GetExternalName(mg); (got == arn) != tc.named {
					t.Errorf("\n%s\nexternal name %q", tc.reason, got)
				}

				if got := e.Sim.Count("CreateListener"); got != 0 {
					t.Errorf("\n%s\nit was created %d times", tc.reason, got)
				}

				if name == "OnlyObserve" || name == "Foreign" {
					kindtest.Must(t, e.Client.Delete(t.Context(), mg))
					e.UntilGone(t, mg)

					if got := e.Writes(); len(got) > 0 || len(e.listeners(t)) != 1 {
						t.Errorf("\n%s\nAWS was changed: %q", tc.reason, got)
					}
				}
			})
		})
	}
}
