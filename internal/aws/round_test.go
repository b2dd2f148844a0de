package aws

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
)

const (
	pollEvery = 10 * time.Minute
	// A round of polls of 500 resources costs less than affordable calls, and one of
	// 200 security groups and rules less than affordableEC2.
	affordable    = 100
	affordableEC2 = 40
)

// poll observes a resource in sync once.
type poll func(ctx context.Context) error

// pollAll polls each resource once at random in a first interval, and then every
// interval ± 10 %, for a number of rounds. It returns the calls of each round, by
// each of the counts.
func pollAll(t *testing.T, resources []poll, rounds int, counts ...func() int) [][]int {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	end := time.Now().Add(time.Duration(rounds) * pollEvery)
	var wg sync.WaitGroup
	for _, observe := range resources {
		first := time.Duration(random.Int64N(int64(pollEvery)))
		own := rand.New(rand.NewPCG(random.Uint64(), 0))
		wg.Go(func() {
			for time.Sleep(first); time.Now().Before(end); {
				if err := observe(t.Context()); err != nil {
					t.Error(err)
				}
				time.Sleep(pollEvery*9/10 + time.Duration(own.Int64N(int64(pollEvery/5))))
			}
		})
	}
	out, before := make([][]int, len(counts)), make([]int, len(counts))
	for range rounds {
		for i, calls := range counts {
			before[i] = calls()
		}
		time.Sleep(pollEvery)
		for i, calls := range counts {
			out[i] = append(out[i], calls()-before[i])
		}
	}
	wg.Wait()
	return out
}

// check prints and judges the calls of rounds: the first one knows nothing yet.
func check(t *testing.T, what string, rounds []int, limit int) {
	t.Helper()
	sum, most := 0, 0
	for _, n := range rounds[1:] {
		sum += n
		most = max(most, n)
	}
	average := float64(sum) / float64(len(rounds)-1)
	t.Logf("%s: %d calls in the first round, then %.1f on average and %d at most in each of %d rounds of polls",
		what, rounds[0], average, most, len(rounds)-1)
	if most >= limit {
		t.Errorf("%s: the worst round costs %d calls, want less than %d", what, most, limit)
	}
}

// TestCallsOf500TargetGroups is with the simulated AWS and all of our client.
func TestCallsOf500TargetGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, _, a := bubbled(t)
		var resources []poll
		for i := range 500 {
			arn := seedGroup(t, sim, fmt.Sprintf("group-%d", i))
			resources = append(resources, func(ctx context.Context) error {
				if _, err := a.Read.TargetGroup(ctx, arn, MaxAge(pollEvery)); err != nil {
					return err
				}
				if _, err := a.Read.Tags(ctx, arn, MaxAge(pollEvery)); err != nil {
					return err
				}
				_, err := a.Read.TargetGroupAttributes(ctx, arn, AttributesMaxAge(pollEvery))
				return err
			})
		}
		sim.Reset()
		check(t, "500 target groups", pollAll(t, resources, 3, func() int { return sim.Count() })[0], affordable)
	})
}

// account is 100 load balancers, 175 target groups, 175 listeners and 50 bindings, and
// 40 security groups with 160 rules, without a client. Everything that is not asked for is not there.
type account struct {
	ELBv2
	EC2

	// ruled says that every tenth listener has two rules.
	ruled bool

	mu            sync.Mutex
	calls         map[string]int
	loadBalancers []elbtypes.LoadBalancer
	groups        []elbtypes.TargetGroup
}

func (a *account) count(action string) {
	time.Sleep(50 * time.Millisecond)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls[action]++
}

// ec2Calls are counted apart: EC2 has a budget of its own.
func (a *account) ec2Calls() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.calls["DescribeSecurityGroups"] + a.calls["DescribeSecurityGroupRules"]
}

// healthCalls are counted apart, too: health has a budget of its own. AWS tells of one
// group in a call, and it is read once in a poll interval for each group that has a
// binding.
func (a *account) healthCalls() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.calls["DescribeTargetHealth"]
}

// elbCalls are all others.
func (a *account) elbCalls() int {
	n := -a.ec2Calls() - a.healthCalls()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.calls {
		n += c
	}
	return n
}

func (a *account) DescribeSecurityGroups(_ context.Context, in *ec2.DescribeSecurityGroupsInput, _ ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error) {
	a.count("DescribeSecurityGroups")
	ids := in.GroupIds
	for _, f := range in.Filters {
		ids = append(ids, f.Values...)
	}
	out := &ec2.DescribeSecurityGroupsOutput{}
	for _, id := range ids {
		out.SecurityGroups = append(out.SecurityGroups, ec2types.SecurityGroup{GroupId: &id})
	}
	return out, nil
}

func (a *account) DescribeSecurityGroupRules(context.Context, *ec2.DescribeSecurityGroupRulesInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupRulesOutput, error) {
	a.count("DescribeSecurityGroupRules")
	return &ec2.DescribeSecurityGroupRulesOutput{}, nil
}

func (a *account) DescribeLoadBalancers(_ context.Context, in *elbv2.DescribeLoadBalancersInput, _ ...func(*elbv2.Options)) (*elbv2.DescribeLoadBalancersOutput, error) {
	a.count("DescribeLoadBalancers")
	if len(in.LoadBalancerArns) == 0 {
		return &elbv2.DescribeLoadBalancersOutput{LoadBalancers: a.loadBalancers}, nil
	}
	out := &elbv2.DescribeLoadBalancersOutput{}
	for _, arn := range in.LoadBalancerArns {
		out.LoadBalancers = append(out.LoadBalancers, elbtypes.LoadBalancer{LoadBalancerArn: &arn})
	}
	return out, nil
}

func (a *account) DescribeTargetGroups(_ context.Context, in *elbv2.DescribeTargetGroupsInput, _ ...func(*elbv2.Options)) (*elbv2.DescribeTargetGroupsOutput, error) {
	a.count("DescribeTargetGroups")
	if len(in.TargetGroupArns) == 0 {
		return &elbv2.DescribeTargetGroupsOutput{TargetGroups: a.groups}, nil
	}
	out := &elbv2.DescribeTargetGroupsOutput{}
	for _, arn := range in.TargetGroupArns {
		out.TargetGroups = append(out.TargetGroups, elbtypes.TargetGroup{TargetGroupArn: &arn})
	}
	return out, nil
}

func (a *account) DescribeListeners(_ context.Context, in *elbv2.DescribeListenersInput, _ ...func(*elbv2.Options)) (*elbv2.DescribeListenersOutput, error) {
	a.count("DescribeListeners")
	out := &elbv2.DescribeListenersOutput{}
	for _, arn := range in.ListenerArns {
		out.Listeners = append(out.Listeners, elbtypes.Listener{ListenerArn: &arn})
	}
	return out, nil
}

func (a *account) DescribeTags(_ context.Context, in *elbv2.DescribeTagsInput, _ ...func(*elbv2.Options)) (*elbv2.DescribeTagsOutput, error) {
	a.count("DescribeTags")
	out := &elbv2.DescribeTagsOutput{}
	for _, arn := range in.ResourceArns {
		out.TagDescriptions = append(out.TagDescriptions, elbtypes.TagDescription{ResourceArn: &arn})
	}
	return out, nil
}

func (a *account) DescribeTargetHealth(context.Context, *elbv2.DescribeTargetHealthInput, ...func(*elbv2.Options)) (*elbv2.DescribeTargetHealthOutput, error) {
	a.count("DescribeTargetHealth")
	return &elbv2.DescribeTargetHealthOutput{}, nil
}

func (a *account) DescribeLoadBalancerAttributes(context.Context, *elbv2.DescribeLoadBalancerAttributesInput, ...func(*elbv2.Options)) (*elbv2.DescribeLoadBalancerAttributesOutput, error) {
	a.count("attributes")
	return &elbv2.DescribeLoadBalancerAttributesOutput{}, nil
}

func (a *account) DescribeTargetGroupAttributes(context.Context, *elbv2.DescribeTargetGroupAttributesInput, ...func(*elbv2.Options)) (*elbv2.DescribeTargetGroupAttributesOutput, error) {
	a.count("attributes")
	return &elbv2.DescribeTargetGroupAttributesOutput{}, nil
}

func (a *account) DescribeListenerAttributes(context.Context, *elbv2.DescribeListenerAttributesInput, ...func(*elbv2.Options)) (*elbv2.DescribeListenerAttributesOutput, error) {
	a.count("attributes")
	return &elbv2.DescribeListenerAttributesOutput{}, nil
}

// DescribeRules says that a listener has two besides its default.
func (a *account) DescribeRules(_ context.Context, in *elbv2.DescribeRulesInput, _ ...func(*elbv2.Options)) (*elbv2.DescribeRulesOutput, error) {
	a.count("attributes")
	out := &elbv2.DescribeRulesOutput{}
	for i := range 2 {
		out.Rules = append(out.Rules, elbtypes.Rule{RuleArn: sdk.String(fmt.Sprintf("%s/%016x", strings.Replace(*in.ListenerArn, ":listener/", ":listener-rule/", 1), i))})
	}
	return out, nil
}

// resources makes them, and what polls them.
func (a *account) resources() []poll {
	r := newReader(&Access{ELBv2: a, EC2: a, Account: "123456789012", Region: "eu-west-1"}, newLedger())
	const prefix = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:"
	age, rare := MaxAge(pollEvery), AttributesMaxAge(pollEvery)
	var out []poll
	add := func(read func(ctx context.Context) error, arn string, attributes func(context.Context, string, time.Duration) (map[string]string, error)) {
		out = append(out, func(ctx context.Context) error {
			if err := read(ctx); err != nil {
				return err
			}
			if _, err := r.Tags(ctx, arn, age); err != nil {
				return err
			}
			_, err := attributes(ctx, arn, rare)
			return err
		})
	}
	for i := range 175 {
		lb, group := fmt.Sprintf("%sloadbalancer/net/lb-%d/%016x", prefix, i, i), fmt.Sprintf("%stargetgroup/group-%d/%016x", prefix, i, i)
		listener := fmt.Sprintf("%slistener/net/lb-%d/%016x/%016x", prefix, i/2, i/2, i)
		if i < 100 {
			a.loadBalancers = append(a.loadBalancers, elbtypes.LoadBalancer{LoadBalancerArn: sdk.String(lb)})
			add(func(ctx context.Context) error { _, err := r.LoadBalancer(ctx, lb, age); return err }, lb, r.LoadBalancerAttributes)
		}
		a.groups = append(a.groups, elbtypes.TargetGroup{TargetGroupArn: sdk.String(group)})
		add(func(ctx context.Context) error { _, err := r.TargetGroup(ctx, group, age); return err }, group, r.TargetGroupAttributes)
		if i < 50 {
			// A binding reads its group as the group's own object does, and the engine
			// reads its health once in a poll interval.
			add(func(ctx context.Context) error {
				if _, err := a.DescribeTargetHealth(ctx, nil); err != nil {
					return err
				}
				_, err := r.TargetGroup(ctx, group, age)
				return err
			}, group, r.TargetGroupAttributes)
		}
		add(func(ctx context.Context) error {
			if _, err := r.Listener(ctx, listener, age); err != nil || !a.ruled || i%10 > 0 {
				return err
			}
			rules, err := r.Rules(ctx, listener, rare)
			var arns []string
			for _, rule := range rules {
				arns = append(arns, *rule.RuleArn)
			}
			if err == nil {
				_, err = r.RuleTags(ctx, arns, age)
			}
			return err
		}, listener, r.ListenerAttributes)
	}
	for i := range 40 {
		id := fmt.Sprintf("sg-%017x", i)
		out = append(out, func(ctx context.Context) error { _, err := r.SecurityGroup(ctx, id, age); return err })
		for range 4 {
			out = append(out, func(ctx context.Context) error { _, err := r.SecurityGroupRules(ctx, id, age); return err })
		}
	}
	return out
}

// TestCallsOf500Resources is with 200 security groups and rules on top.
func TestCallsOf500Resources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &account{ruled: true, calls: map[string]int{}}
		resources := a.resources()
		rounds := pollAll(t, resources, 2*AttributePolls, a.elbCalls, a.ec2Calls, a.healthCalls)
		check(t, "100 load balancers, 175 target groups, 175 listeners with 36 rules, 50 bindings", rounds[0], affordable)
		check(t, "40 security groups and 160 rules", rounds[1], affordableEC2)
		// Polls vary by a tenth, so a few groups are read twice in a round, and others not.
		check(t, "health of 50 bindings", rounds[2], 50*12/10)
		t.Logf("in all rounds: %v", a.calls)
	})
}

// TestCallsOf500AtOnce is all of them at the same moment, twice: at the start and
// a poll later.
func TestCallsOf500AtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &account{calls: map[string]int{}}
		resources := a.resources()
		var rounds []map[string]int
		for range 2 {
			clear(a.calls)
			var wg sync.WaitGroup
			for _, observe := range resources {
				wg.Go(func() {
					if err := observe(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			got := map[string]int{}
			for k, v := range a.calls {
				got[k] = v
			}
			rounds = append(rounds, got)
			time.Sleep(pollEvery)
		}
		t.Logf("500 resources at once: %v at the start, %v a poll later", rounds[0], rounds[1])
		if n := a.elbCalls(); n >= affordable {
			t.Errorf("%d calls, want less than %d", n, affordable)
		}
		want := map[string]int{"DescribeLoadBalancers": 1, "DescribeTargetGroups": 1, "DescribeListeners": 9, "DescribeTags": 23, "DescribeTargetHealth": 50,
			"DescribeSecurityGroups": 1, "DescribeSecurityGroupRules": 1}
		delete(rounds[1], "attributes")
		if diff := cmp.Diff(want, rounds[1]); diff != "" {
			t.Errorf("a round without attributes is what AWS's own limits allow\n-want, +got:\n%s", diff)
		}
	})
}
