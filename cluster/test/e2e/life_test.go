package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
)

// TestTheWholeLoadBalancer is the complete example from its creation to its end.
func TestTheWholeLoadBalancer(t *testing.T) {
	bothScopes(t, func(t *testing.T, w *world) {
		e := w.example(t, 0, 1, 2)
		e.appearsWithoutWaiting()
		e.isRepaired()
		e.vanishes()
	})
}

// appearsWithoutWaiting: what has to wait for a reference is waiting for an event
// and for nothing else. Nobody polls, nobody fails and backs off, and nothing is
// tried in vain or twice.
func (e *whole) appearsWithoutWaiting() {
	e.t.Helper()
	seen := e.follow()
	e.poll("24h")
	e.applyAll()
	e.allReady()
	e.serves("each instance that runs a proxy is a target of both ports", nodeName(0), nodeName(1), nodeName(2))
	e.inAWS("the example makes what it says", e.lines()...)

	seen.never(e.t, "waiting for a reference is no error", "Synced=False")
	// It is created, written four times, and once for each thing that it waits for,
	// which it names. The counts of a binding follow the pods.
	may := map[string]int{"SecurityGroup": 5, "TargetGroup": 5, "LoadBalancer": 7, "Listener": 7, "SecurityGroupRule": 7, "TargetGroupBinding": 9}
	seen.most(e.t, "from creation to Ready an object is written a few times only", func(kind string) int { return may[kind] })
	e.noWarnings("waiting for a reference is told in a condition, not in Events")
	writes, refused := e.writes(0)
	if diff := cmp.Diff(map[string]int{
		"CreateSecurityGroup": 1, "RevokeSecurityGroupEgress": 1,
		"AuthorizeSecurityGroupIngress": 5, "AuthorizeSecurityGroupEgress": 3,
		"CreateLoadBalancer": 1,
		"CreateTargetGroup":  2, "ModifyTargetGroupAttributes": 2,
		"CreateListener": 2, "ModifyListenerAttributes": 2,
	}, writes); diff != "" {
		e.t.Errorf("everything is written once (-want, +got):\n%s", diff)
	}
	if len(refused) > 0 {
		e.t.Errorf("AWS refused calls that were made too early, or in vain: %v", refused)
	}
	e.t.Logf("%s: %d calls of AWS until everything was there", e.scope.name, len(e.made(0)))
}

// isRepaired: somebody changes each kind behind the provider's back.
func (e *whole) isRepaired() {
	e.t.Helper()
	elb, sg := it.ELBv2In(e.region), it.EC2In(e.region)
	balancer, clients := e.observed(e.one("LoadBalancer", "proxy"), "arn"), e.observed(e.one("SecurityGroup", "proxy"), "id")
	listener := e.observed(e.one("Listener", "proxy-https"), "arn")
	https, http := e.observed(e.one("TargetGroup", "proxy-https"), "arn"), e.observed(e.one("TargetGroup", "proxy-http"), "arn")
	changed, revoked := e.observed(e.one("SecurityGroupRule", "proxy-from-clients-https"), "id"), e.observed(e.one("SecurityGroupRule", "nodes-from-proxy-http"), "id")
	began := len(it.Sim.Calls())

	ctx := e.t.Context()
	_, a := elb.ModifyLoadBalancerAttributes(ctx, &elbv2.ModifyLoadBalancerAttributesInput{LoadBalancerArn: &balancer,
		Attributes: []elbtypes.LoadBalancerAttribute{{Key: aws.String("load_balancing.cross_zone.enabled"), Value: aws.String("true")}}})
	_, b := elb.ModifyListener(ctx, &elbv2.ModifyListenerInput{ListenerArn: &listener,
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &http}}})
	_, c := elb.ModifyTargetGroup(ctx, &elbv2.ModifyTargetGroupInput{TargetGroupArn: &https, HealthCheckPath: aws.String("/other")})
	_, d := sg.DeleteTags(ctx, &ec2.DeleteTagsInput{Resources: []string{clients}, Tags: []ec2types.Tag{{Key: aws.String("team")}}})
	_, f := sg.ModifySecurityGroupRules(ctx, &ec2.ModifySecurityGroupRulesInput{GroupId: &clients, SecurityGroupRules: []ec2types.SecurityGroupRuleUpdate{{
		SecurityGroupRuleId: &changed, SecurityGroupRule: &ec2types.SecurityGroupRuleRequest{
			IpProtocol: aws.String("tcp"), FromPort: aws.Int32(443), ToPort: aws.Int32(443), CidrIpv4: aws.String("192.0.2.0/24"),
		}}}})
	_, g := sg.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: aws.String(stack.NodeGroup), SecurityGroupRuleIds: []string{revoked}})
	if err := errors.Join(a, b, c, d, f, g); err != nil {
		e.t.Fatal(err)
	}
	it.Sim.DropTarget(https, e.instance(nodeName(1)), e.https)

	e.poll("5s")
	e.inAWS("what somebody changes is repaired", e.lines()...)
	e.serves("and what somebody deregisters", nodeName(0), nodeName(1), nodeName(2))
	e.allReady()
	writes, refused := e.writes(began)
	if diff := cmp.Diff(map[string]int{
		"ModifyLoadBalancerAttributes": 1, "ModifyListener": 1, "ModifyTargetGroup": 1, "CreateTags": 1,
		"ModifySecurityGroupRules": 1, "AuthorizeSecurityGroupIngress": 1,
	}, writes); diff != "" {
		e.t.Errorf("each is repaired by one call (-want, +got):\n%s", diff)
	}
	if len(refused) > 0 {
		e.t.Errorf("AWS refused %v", refused)
	}
}

// vanishes: everything is deleted at once, while an interface that is not ours
// still has the security group, as one of a load balancer has for some minutes.
func (e *whole) vanishes() {
	e.t.Helper()
	group := e.one("SecurityGroup", "proxy")
	release := it.Sim.UseSecurityGroup(e.observed(group, "id"))
	seen := e.follow()
	e.delete(e.managed...)
	e.allGone("what nobody else uses is deleted", e.ofKind("LoadBalancer", "Listener", "TargetGroup", "TargetGroupBinding", "SecurityGroupRule")...)
	e.inAWS("only what is in use is left", fmt.Sprintf("security group %s, team=edge", e.prefix))
	e.blocked("what is waited for is said", group, "DependencyViolation", "a network interface")
	release()
	e.allGone("the rest follows when it is free", e.managed...)
	e.inAWS("nothing is left")
	seen.never(e.t, "waiting for others to go is no error", "Synced=False")
	e.noWarnings("deletion in any order is told in conditions, not in Events")
}

func TestDeletionInAnyOrder(t *testing.T) {
	for _, c := range []struct {
		name, first string
		// says is what DeletionBlocked tells; empty if nothing is in the way.
		code string
		says []string
	}{
		{name: "LoadBalancer", first: "LoadBalancer"},
		{name: "SecurityGroup", first: "SecurityGroup", code: "DependencyViolation", says: []string{`LoadBalancer "`, `SecurityGroupRule "`}},
		{name: "TargetGroup", first: "TargetGroup", code: "ResourceInUse", says: []string{"proxy"}},
	} {
		t.Run(c.name+"First", func(t *testing.T) {
			bothScopes(t, func(t *testing.T, w *world) {
				e := w.example(t, 0)
				e.applyAll()
				e.allReady()
				e.inAWS("the example makes what it says", e.lines()...)
				first := e.ofKind(c.first)
				e.delete(first...)
				if c.code == "" {
					e.allGone("nothing of ours is in its way", first...)
				} else {
					e.blocked("what is in its way is said", first[0], c.code, c.says...)
				}
				e.delete(e.managed...)
				e.allGone("all goes in the end", e.managed...)
				e.inAWS("nothing is left")
				e.noWarnings("deletion in any order is told in conditions, not in Events")
			})
		})
	}
}

// blocked waits until an object says what keeps AWS from deleting it.
func (e *whole) blocked(reason string, o *unstructured.Unstructured, code string, says ...string) {
	e.t.Helper()
	e.eventually(reason, func(ctx context.Context) error {
		u, err := e.now(ctx, o)
		if err != nil {
			return err
		}
		c := condition(u, "DeletionBlocked")
		if c.Status != "True" || string(c.Reason) != code {
			return fmt.Errorf("DeletionBlocked is %+v, want True because of %s", c, code)
		}
		return missing("DeletionBlocked", c.Message, says)
	})
}

// poll lets the objects be compared with AWS at an interval of their own, and no
// earlier without an event.
func (e *whole) poll(interval string) {
	e.t.Helper()
	for _, o := range e.managed {
		a := maps.Clone(o.GetAnnotations())
		if a == nil {
			a = map[string]string{}
		}
		a["crossplane.io/poll-interval"] = interval
		o.SetAnnotations(a)
		if u, err := e.now(e.t.Context(), o); err == nil {
			e.annotate(u, "crossplane.io/poll-interval", interval)
		}
	}
}

// made are the actions of AWS in the test's region that the provider has called
// since so many calls of all.
func (e *whole) made(since int) (actions []string) {
	for _, c := range it.Sim.Calls()[since:] {
		if c.Region == e.region && strings.Contains(c.UserAgent, "provider-nlb/") {
			actions = append(actions, c.Action)
		}
	}
	return actions
}

// writes counts the provider's calls since then that change something, but for
// targets, and lists those that AWS refused.
func (e *whole) writes(since int) (n map[string]int, refused []string) {
	n = map[string]int{}
	for _, c := range it.Sim.Calls()[since:] {
		targets := c.Action == "RegisterTargets" || c.Action == "DeregisterTargets"
		reads := strings.HasPrefix(c.Action, "Describe") || strings.HasPrefix(c.Action, "Get")
		if c.Region != e.region || !strings.Contains(c.UserAgent, "provider-nlb/") || reads || targets {
			continue
		}
		n[c.Action]++
		if c.Code != "" {
			refused = append(refused, c.Action+": "+c.Code)
		}
	}
	return n, refused
}

// noWarnings fails the test if there is a Warning about any of the objects.
func (e *whole) noWarnings(reason string) {
	e.t.Helper()
	list := e.warnings()
	if len(list) > 0 {
		e.t.Errorf("%s, but there are:\n%s", reason, strings.Join(list, "\n"))
	}
}
