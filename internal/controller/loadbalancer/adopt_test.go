package loadbalancer_test

import (
	"strings"
	"testing"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

func TestAdoption(t *testing.T) {
	cases := map[string]struct {
		reason string
		// tags of the load balancer are those of this object in a cluster, or foreign.
		cluster string
		mutate  func(arn string) func(lb)
		// stalled is part of the message, or empty if it is adopted.
		stalled string
		// external name in the end; ARN stands for the load balancer's.
		external string
	}{
		"Ours":         {"A lost response, or an object that was applied again.", kindtest.Cluster, nil, "", "ARN"},
		"OtherCluster": {"The same Git in another cluster: neither takes it from the other.", "blue", nil, `another cluster, "blue"`, ""},
		"Foreign":      {"Somebody else's is not taken over silently.", "", nil, "external-name to", ""},
		"ByARN":        {"An external name adopts.", "", func(arn string) func(lb) { return func(mg lb) { meta.SetExternalName(mg, arn) } }, "", "ARN"},
		"ByName":       {"The user's form stays.", "", func(string) func(lb) { return func(mg lb) { meta.SetExternalName(mg, "edge") } }, "", "edge"},
		"OnlyObserve": {"Who changes nothing takes nothing over.", "", func(string) func(lb) {
			return func(mg lb) { mg.SetManagementPolicies(xpv2.ManagementPolicies{"Observe"}) }
		}, "", ""},
		"OtherRegion": {"It would be looked for in vain.", "", func(arn string) func(lb) {
			return func(mg lb) { meta.SetExternalName(mg, strings.Replace(arn, kindtest.Region, "eu-west-2", 1)) }
		}, "in region eu-west-2", "OTHER"},
		"OtherType": {"One of its name would be made, of another type.", "", func(arn string) func(lb) {
			return func(mg lb) { meta.SetExternalName(mg, strings.Replace(arn, "/net/edge/", "/app/new/", 1)) }
		}, "is not the ARN of a Network Load Balancer", "APP"},
		"Scheme": {"AWS cannot change it.", "", func(arn string) func(lb) {
			return func(mg lb) { meta.SetExternalName(mg, arn); mg.ForProvider().Scheme = ptr("internal") }
		}, `spec.forProvider.scheme is internal, but load balancer "edge" has internet-facing`, "ARN"},
		"FirstGroup": {"AWS can never change it.", "", func(arn string) func(lb) {
			return func(mg lb) { meta.SetExternalName(mg, arn); mg.ForProvider().SecurityGroupIDs = []string{"sg-0a"} }
		}, "was created without security groups", "ARN"},
		"Enforce": {"It needs security groups.", "", func(arn string) func(lb) {
			return func(mg lb) {
				meta.SetExternalName(mg, arn)
				mg.ForProvider().EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic = ptr(true)
			}
		}, "needs security groups", "ARN"},
		"FewerAddresses": {"AWS can never change it.", "", func(arn string) func(lb) {
			return func(mg lb) { meta.SetExternalName(mg, arn); mg.ForProvider().SecondaryIPsPerSubnet = ptr(int32(1)) }
		}, "spec.forProvider.secondaryIpsPerSubnet is 1", "ARN"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			bothScopes(t, func(t *testing.T, e *env) {
				arn := e.seed(t, func(s *awssim.LoadBalancerSeed) {
					s.Tags = map[string]string{"owner": "me"}
					s.Attributes = map[string]string{"secondary_ips.auto_assigned.per_subnet": "2"}

					if tc.cluster != "" {
						mg, _ := e.Object(t, "LoadBalancer", "edge").(lb)
						s.Tags = e.Tags(mg, tc.cluster)
					}
				})

				mutate := func(lb) {}
				if tc.mutate != nil {
					mutate = tc.mutate(arn)
				}

				mg := e.balancer(t, "edge", mutate)

				if tc.stalled == "" {
					e.UntilApplied(t, mg)
				} else if got := e.UntilStalled(t, mg); !strings.Contains(got, tc.stalled) {
					t.Errorf("\n%s\nthe message is %q, want %q in it", tc.reason, got, tc.stalled)
				}

				want := strings.NewReplacer("ARN", arn, "APP", strings.Replace(arn, "/net/edge/", "/app/new/", 1), "OTHER", strings.Replace(arn, kindtest.Region, "eu-west-2", 1)).Replace(tc.external)
				if got := meta.GetExternalName(mg); got != want {
					t.Errorf("\n%s\nexternal name %q, want %q", tc.reason, got, want)
				}

				if got := e.Sim.Count("CreateLoadBalancer"); got != 0 {
					t.Errorf("\n%s\nit was created %d times", tc.reason, got)
				}

				// What could be declared is there to be copied, if nothing else is.
				if o := mg.ObservedState().AtProvider; (name == "OnlyObserve") != (o.Attributes["secondary_ips.auto_assigned.per_subnet"] == "2") {
					t.Errorf("\n%s\nstatus shows %+v", tc.reason, o)
				}

				if name == "OnlyObserve" {
					kindtest.Must(t, e.Client.Delete(t.Context(), mg))
					e.UntilGone(t, mg)

					if got := e.writes(); len(got) > 0 || len(e.balancers()) != 1 {
						t.Errorf("\n%s\nAWS was changed: %q", tc.reason, got)
					}
				}
			})
		})
	}
}

// TestOnlyObserveShowsTheSwitches: an import copies them, and sees what AWS has.
func TestOnlyObserveShowsTheSwitches(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		group := e.group(t, "a")
		arn := e.seed(t, func(s *awssim.LoadBalancerSeed) { s.SecurityGroups = []string{group} })
		mg := e.balancer(t, "edge", func(mg lb) { mg.SetManagementPolicies(xpv2.ManagementPolicies{"Observe"}) })
		enforced := func(v bool) func() bool {
			return func() bool {
				got := mg.ObservedState().AtProvider.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic

				return got != nil && *got == v
			}
		}
		e.Until(t, mg, "shown to enforce", enforced(true))

		_, err := e.ELB.SetSecurityGroups(t.Context(), &elbv2.SetSecurityGroupsInput{
			LoadBalancerArn: &arn, SecurityGroups: []string{group}, EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: "off",
		})
		kindtest.Must(t, err)
		e.Until(t, mg, "shown not to", enforced(false))
	})
}
