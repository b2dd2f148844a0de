package conformance

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	namespacedapi "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

const (
	// quietRegion is nobody else's here: the budget of an account is one for each region.
	quietRegion = "eu-north-1"
	quietSubnet = "subnet-0000000000000000b"
)

var fullRound = flag.Bool("full-round", false, "count the calls of a round of polls of 500 objects, one in a minute, rather than of 140, one in 20 s")

// A fleet is how many objects are polled, and what that may cost.
type fleet struct {
	// balancers have so many groupsOfBalancer, and as many listeners. The first groups of
	// them are bound.
	balancers, groupsOfBalancer, securityGroups, rulesOfGroup int
	// poll interval. What is read is kept for a part of it, so that the number of calls
	// hardly depends on it, unless the account's budget is too small for it.
	poll time.Duration
	// rounds until it is known when each object is polled; the one after them is judged.
	rounds int
	// all calls of a round cost less than that, those of EC2 less than inEC2.
	all, inEC2 int
}

// A call for each object and round would be seen, though batches are smaller here than
// with 500.
var few = fleet{balancers: 10, groupsOfBalancer: 4, securityGroups: 8, rulesOfGroup: 4, poll: 20 * time.Second, rounds: 2, all: 60, inEC2: 10}

var many = fleet{balancers: 30, groupsOfBalancer: 4, securityGroups: 40, rulesOfGroup: 4, poll: time.Minute, rounds: 3, all: 100, inEC2: 10}

// TestARoundOfPollsSharesCalls counts what the real controllers of all kinds ask AWS for
// in a full round of polls, when all is in sync: 10 load balancers, 40 target groups, 40
// listeners and 10 bindings, and 8 security groups with 32 rules. With -full-round, which
// is make calls, they are 30, 120, 120, 30, 40 and 160: 500. TestCallsOf500Resources of
// internal/aws counts what more rounds than anybody waits for cost; this is for what its
// polls cannot know: that controllers read no more.
func TestARoundOfPollsSharesCalls(t *testing.T) {
	t.Parallel()

	c := few
	if *fullRound {
		c = many
	}

	w := emptyWorld(t, provider(t), find(t, "LoadBalancer"), namespacedapi.SchemeGroupVersion)
	w.ELB, w.EC2 = elbv2.NewFromConfig(w.Sim.Config(quietRegion)), ec2.NewFromConfig(w.Sim.Config(quietRegion))
	w.Sim.SeedSubnet(awssim.Subnet{Region: quietRegion, ID: quietSubnet, VPC: kindtest.VPC, Zone: quietRegion + "a", CIDR: "10.0.0.0/24"})

	all := slices.Concat(w.inSyncELBv2(t, c), w.inSyncEC2(t, c))
	for _, mg := range all {
		meta.AddAnnotations(mg, map[string]string{meta.AnnotationKeyPollInterval: c.poll.String()})
		w.Create(t, mg)
	}

	w.patiently(t, all)

	for round := range c.rounds + 1 {
		w.Sim.Reset()
		time.Sleep(c.poll)
		w.judgeRound(t, c, len(all), round == c.rounds)
	}

	w.driftIsFound(t)
}

// inSyncELBv2 are objects of ELBv2's kinds, with what they declare in AWS.
func (w *world) inSyncELBv2(t *testing.T, c fleet) []resource.Managed {
	t.Helper()

	var out []resource.Managed

	for i := range c.balancers {
		name := fmt.Sprintf("%s-%d", w.name, i)
		lb, err := w.Sim.SeedLoadBalancer(awssim.LoadBalancerSeed{
			Region: quietRegion, Name: name, Subnets: []string{quietSubnet}, Tags: w.ourTags("loadbalancer", name),
		})
		kindtest.Must(t, err)

		out = append(out, declared(w, "LoadBalancer", name, lb, v1alpha1.LoadBalancerParameters{
			Region: quietRegion, SubnetMappings: []v1alpha1.SubnetMapping{{SubnetID: quietSubnet}}, CrossZone: ptr(false),
		}))

		for j := range c.groupsOfBalancer {
			name := fmt.Sprintf("%s-%d-%d", w.name, i, j)
			group, err := w.Sim.SeedTargetGroup(awssim.TargetGroupSeed{
				Region: quietRegion, Name: name, Protocol: "TCP", Port: 443, VPC: kindtest.VPC, Tags: w.ourTags("targetgroup", name),
			})
			kindtest.Must(t, err)

			listener, err := w.Sim.SeedListener(lb, "TCP", int32(443+j), group)
			kindtest.Must(t, err)
			w.tagged(t, listener, w.ourTags("listener", name))

			out = append(out, declared(w, "TargetGroup", name, group, v1alpha1.TargetGroupParameters{
				Region: quietRegion, Protocol: ptr("TCP"), Port: ptr(int32(443)), VPCID: ptr(kindtest.VPC), DeregistrationDelaySeconds: ptr(int32(300)),
			}), declared(w, "Listener", name, listener, v1alpha1.ListenerParameters{
				Region: quietRegion, LoadBalancerARN: &lb, Port: ptr(int32(443 + j)), Protocol: ptr("TCP"), TCPIdleTimeoutSeconds: ptr(int32(350)),
				Forward: &v1alpha1.Forward{TargetGroups: []v1alpha1.ForwardTargetGroup{{TargetGroupARN: &group}}},
			}))

			if j == 0 {
				out = append(out, declared(w, "TargetGroupBinding", name, "", v1alpha1.TargetGroupBindingParameters{
					Region: quietRegion, TargetGroupARN: &group, PodSelector: &v1alpha1.PodSelector{
						LabelSelector: metav1.LabelSelector{MatchLabels: map[string]string{"app": "nobody"}}, Port: intstr.FromInt32(firstPort),
					},
				}))
			}
		}
	}

	return out
}

// inSyncEC2 are objects of EC2's kinds, with what they declare in AWS.
func (w *world) inSyncEC2(t *testing.T, c fleet) []resource.Managed {
	t.Helper()

	var out []resource.Managed

	for i := range c.securityGroups {
		name := fmt.Sprintf("%s-%d", w.name, i)
		group := w.makeSecurityGroup(t, name)
		w.tagged(t, group, w.ourTags("securitygroup", name))

		out = append(out, declared(w, "SecurityGroup", name, group, v1alpha1.SecurityGroupParameters{
			Region: quietRegion, Description: ptr("conformance"), VPCID: ptr(kindtest.VPC),
		}))

		for j := range c.rulesOfGroup {
			name, port := fmt.Sprintf("%s-%d-%d", w.name, i, j), int32(443+j)
			made, err := w.EC2.AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{
				GroupId: &group, IpPermissions: []ec2types.IpPermission{{
					IpProtocol: ptr("tcp"), FromPort: &port, ToPort: &port, IpRanges: []ec2types.IpRange{{CidrIp: ptr("10.0.0.0/8")}},
				}},
			})
			kindtest.Must(t, err)

			id := *made.SecurityGroupRules[0].SecurityGroupRuleId
			w.tagged(t, id, w.ourTags("securitygrouprule", name))

			out = append(out, declared(w, "SecurityGroupRule", name, id, v1alpha1.SecurityGroupRuleParameters{
				Region: quietRegion, SecurityGroupID: &group, Direction: ptr("ingress"), Protocol: ptr("tcp"), FromPort: &port, ToPort: &port, CIDRIPv4: ptr("10.0.0.0/8"),
			}))
		}
	}

	return out
}

// declared is an object that declares what is in AWS under an id, which is empty for
// a binding.
func declared[P any](w *world, kind, name, id string, p P) resource.Managed {
	o, err := w.Client.Scheme().New(w.GV.WithKind(kind))
	if err != nil {
		panic(err) // the scheme has all kinds
	}

	mg := o.(resource.Managed) //nolint:forcetypeassert // It is one.
	mg.SetNamespace(w.Namespace)
	mg.SetName(name)
	*params[P](mg) = p

	if id != "" {
		meta.SetExternalName(mg, id)
	}

	return mg
}

// ourTags are all that an object of the world has.
func (w *world) ourTags(kind, name string) map[string]string {
	tags := w.Tags(kind, name, kindtest.Cluster)
	tags["team"] = "platform" // of the configuration

	return tags
}

// tagged sets tags in AWS, as the provider would have.
func (w *world) tagged(t *testing.T, id string, tags map[string]string) {
	t.Helper()

	for _, k := range slices.Sorted(maps.Keys(tags)) {
		w.tag(t, id, k, tags[k])
	}
}

// patiently waits until all are applied: the first look at each takes several calls, and
// AWS's budget has some a second.
func (w *world) patiently(t *testing.T, all []resource.Managed) {
	t.Helper()

	began := time.Now()

	var waiting sync.WaitGroup

	for part := range slices.Chunk(all, 50) {
		waiting.Go(func() {
			for _, mg := range part {
				for !w.isApplied(t, mg) && time.Since(began) < 6*time.Minute {
					time.Sleep(200 * time.Millisecond)
				}
			}
		})
	}

	waiting.Wait()

	for _, mg := range all {
		if !w.isApplied(t, mg) {
			t.Fatalf("never applied: %s: %+v\nwrites: %v", mg.GetName(), unstructuredOf(t, mg).Object["status"], w.writes()[:min(5, len(w.writes()))])
		}
	}

	t.Logf("all %d are applied %s after their creation", len(all), time.Since(began).Round(time.Second))
}

// isApplied is what UntilApplied waits for.
func (w *world) isApplied(t *testing.T, mg resource.Managed) bool {
	t.Helper()

	kindtest.Must(t, w.Client.Get(t.Context(), client.ObjectKeyFromObject(mg), mg))

	u := unstructuredOf(t, mg)
	seen, _, _ := unstructured.NestedInt64(u.Object, "status", "observedGeneration")

	return seen == u.GetGeneration()
}

// judgeRound counts the calls since the last Reset, and prints them.
func (w *world) judgeRound(t *testing.T, c fleet, objects int, judged bool) {
	t.Helper()

	all, inEC2, byAction := 0, 0, map[string]int{}

	for _, call := range w.calls() {
		byAction[call.Action]++
		all++

		if isEC2(call.Action) {
			inEC2++
		}
	}

	t.Logf("a round of polls of %d objects costs %d calls, %d of EC2 among them: %v", objects, all, inEC2, byAction)

	if got := w.writes(); len(got) > 0 {
		t.Errorf("all is in sync, and AWS got %v", got)
	}

	if !judged {
		return
	}

	if all == inEC2 || all >= c.all {
		t.Errorf("%d calls, want less than %d", all, c.all)
	}

	if inEC2 == 0 || inEC2 >= c.inEC2 {
		t.Errorf("%d calls of EC2, want less than %d", inEC2, c.inEC2)
	}

	// Polls are not all at their moment of the round, so that a binding may have two in one.
	if health := byAction["DescribeTargetHealth"]; health >= 2*c.balancers {
		t.Errorf("the health of %d bindings is read %d times", c.balancers, health)
	}
}

// driftIsFound: few calls are worth nothing if they find nothing.
func (w *world) driftIsFound(t *testing.T) {
	t.Helper()

	var drifted []string

	for _, lb := range w.Sim.LoadBalancers(awssim.DefaultAccount, quietRegion) {
		drifted = append(drifted, lb.ARN)
	}

	for arns := range slices.Chunk(drifted, 20) {
		_, err := w.ELB.RemoveTags(t.Context(), &elbv2.RemoveTagsInput{ResourceArns: arns, TagKeys: []string{"crossplane-name"}})
		kindtest.Must(t, err)
	}

	eventually(t, "every load balancer has its tag again", func() bool {
		for _, lb := range w.Sim.LoadBalancers(awssim.DefaultAccount, quietRegion) {
			if !strings.HasPrefix(lb.Tags["crossplane-name"], w.name) {
				return false
			}
		}

		return true
	})
}
