package aws

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

// firewall has security groups, by id with their names, and two rules of each. It
// answers filters and ids as EC2 does.
type firewall struct {
	EC2

	mu     sync.Mutex
	groups map[string]string
	calls  []string
}

func (f *firewall) DescribeSecurityGroups(_ context.Context, in *ec2.DescribeSecurityGroupsInput, _ ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, "groups "+strings.Join(in.GroupIds, " ")+values(in.Filters))
	out := &ec2.DescribeSecurityGroupsOutput{}
	for _, id := range in.GroupIds {
		if f.groups[id] == "" {
			return nil, &smithy.GenericAPIError{Code: "InvalidGroup.NotFound", Message: "The security group '" + id + "' does not exist"}
		}
	}
	for id, name := range f.groups {
		fits := slices.Contains(in.GroupIds, id)
		for _, x := range in.Filters {
			fits = fits || slices.Contains(x.Values, id) || slices.Contains(x.Values, name)
		}
		if fits {
			out.SecurityGroups = append(out.SecurityGroups, types.SecurityGroup{GroupId: &id, GroupName: &name, VpcId: sdk.String(vpc)})
		}
	}
	return out, nil
}

func (f *firewall) DescribeSecurityGroupRules(_ context.Context, in *ec2.DescribeSecurityGroupRulesInput, _ ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupRulesOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, "rules "+values(in.Filters)+sdk.ToString(in.NextToken))
	out := &ec2.DescribeSecurityGroupRulesOutput{}
	page := "1"
	if in.NextToken == nil {
		page, out.NextToken = "0", sdk.String(" more")
	}
	for _, id := range in.Filters[0].Values {
		if f.groups[id] != "" {
			out.SecurityGroupRules = append(out.SecurityGroupRules, types.SecurityGroupRule{GroupId: &id, SecurityGroupRuleId: sdk.String("sgr-" + id + page)})
		}
	}
	return out, nil
}

func values(filters []types.Filter) string {
	var out []string
	for _, f := range filters {
		v := slices.Clone(f.Values)
		slices.Sort(v)
		out = append(out, sdk.ToString(f.Name)+"="+strings.Join(v, ","))
	}
	return strings.Join(out, " ")
}

func guarded(groups map[string]string) (*firewall, *Reader) {
	f := &firewall{groups: groups}
	return f, newReader(&Access{EC2: f}, newLedger())
}

func TestSecurityGroupsShareCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, r := guarded(map[string]string{"sg-a": "a", "sg-b": "b"})
		errs := map[string]error{}
		var mu sync.Mutex
		var wg sync.WaitGroup
		for _, id := range []string{"sg-a", "sg-b", "sg-none"} {
			wg.Go(func() {
				g, err := r.SecurityGroup(t.Context(), id, time.Minute)
				if err == nil && sdk.ToString(g.GroupId) != id {
					t.Errorf("got %s, want %s", sdk.ToString(g.GroupId), id)
				}
				mu.Lock()
				defer mu.Unlock()
				errs[id] = err
			})
		}
		wg.Wait()
		if errs["sg-a"] != nil || errs["sg-b"] != nil || !IsNotFound(errs["sg-none"], "InvalidGroup.NotFound") {
			t.Errorf("got %v, want an error for sg-none only", errs)
		}
		want := []string{"groups group-id=sg-a,sg-b,sg-none", "groups sg-none"}
		if diff := cmp.Diff(want, f.calls); diff != "" {
			t.Errorf("what a filter leaves out is asked for by its id\n-want, +got:\n%s", diff)
		}
	})
}

func TestSecurityGroupRulesShareCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, r := guarded(map[string]string{"sg-a": "a", "sg-b": "b"})
		got := map[string]int{}
		var mu sync.Mutex
		var wg sync.WaitGroup
		for _, id := range []string{"sg-a", "sg-b", "sg-none"} {
			wg.Go(func() {
				rules, err := r.SecurityGroupRules(t.Context(), id, time.Minute)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				got[id] = len(rules)
			})
		}
		wg.Wait()
		if diff := cmp.Diff(map[string]int{"sg-a": 2, "sg-b": 2, "sg-none": 0}, got); diff != "" {
			t.Errorf("rules\n-want, +got:\n%s", diff)
		}
		want := []string{"rules group-id=sg-a,sg-b,sg-none", "rules group-id=sg-a,sg-b,sg-none more"}
		if diff := cmp.Diff(want, f.calls); diff != "" {
			t.Errorf("calls\n-want, +got:\n%s", diff)
		}
	})
}

func TestASecurityGroupByName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, r := guarded(map[string]string{"sg-a": "edge"})
		find := func(name string) string {
			g, err := r.SecurityGroupByName(t.Context(), vpc, name, time.Hour)
			if err != nil {
				return Code(err)
			}
			return sdk.ToString(g.GroupId)
		}
		got := []string{find("edge"), find("none")}
		f.groups = map[string]string{"sg-b": "edge"} // by somebody else
		got = append(got, find("edge"))
		if _, err := r.SecurityGroup(t.Context(), "sg-a", 0); !IsNotFound(err, "InvalidGroup.NotFound") {
			t.Errorf("got %v, want InvalidGroup.NotFound", err)
		}
		got = append(got, find("edge"))
		f.groups = maps.Clone(f.groups)
		f.groups["sg-c"] = "none"
		got = append(got, find("none"))
		want := []string{"sg-a", "InvalidGroup.NotFound", "sg-a", "sg-b", "sg-c"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("found, absent, kept, known to be gone and replaced, and no longer absent\n-want, +got:\n%s", diff)
		}
	})
}

func TestEC2HasABudgetOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(PoolOptions{UserAgent: agent}, wire(func(r *http.Request) (*http.Response, error) {
			if ua := r.Header.Get("User-Agent"); !strings.Contains(ua, agent) || r.URL.Host != "ec2.eu-west-1.amazonaws.com" {
				t.Errorf("a call to %s as %q", r.URL.Host, ua)
			}
			return respond(http.StatusServiceUnavailable, "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>Request limit exceeded.</Message></Error></Errors><RequestID>r</RequestID></Response>")
		}))
		s := p.share(place{"", "123456789012", "eu-west-1"})
		cfg := Config{Credentials: Credentials{Source: SourceSecret, Static: StaticCredentials{AccessKeyID: "AKIA", SecretAccessKey: "secret"}}}
		provider, err := p.credentials(t.Context(), cfg, "eu-west-1")
		if err != nil {
			t.Fatal(err)
		}
		c := p.ec2(provider, cfg, "eu-west-1", s)
		_, err = c.RevokeSecurityGroupIngress(t.Context(), &ec2.RevokeSecurityGroupIngressInput{GroupId: sdk.String(groupID)})
		if Classify(err) != ClassThrottled || err.Error() == "" {
			t.Errorf("got %v, want Throttled", err)
		}
		got := map[Category][2]uint64{}
		for c, l := range s.ec2.Level() {
			got[c] = [2]uint64{l.Calls, l.Throttled}
		}
		want := map[Category][2]uint64{EC2NonMutating: {}, EC2Mutating: {}, EC2Ingress: {attempts, attempts}, EC2Tags: {}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("calls and throttled ones\n-want, +got:\n%s", diff)
		}
		if n := s.elbv2.Level()[AccountWide].Calls; n != 0 {
			t.Errorf("%d calls were counted for ELBv2", n)
		}
		if s.ledger.unchanged([]string{groupID}, 0) {
			t.Error("the ledger did not hear of the write")
		}
	})
}

func TestEC2TokensRunOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewEC2Budget(Shares{EC2Mutating: 0.1}) // 5, then one in 2 seconds
		drain(t, b, EC2Mutating, PriorityNormal, 5)
		drain(t, b, EC2NonMutating, PriorityBackground, 25)
		start := time.Now()
		if err := b.Acquire(t.Context(), EC2Mutating, PriorityNormal); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start).Round(10 * time.Millisecond); d != 2*time.Second {
			t.Errorf("the next token took %s, want 2s", d)
		}
	})
}

func TestEC2Categories(t *testing.T) {
	want := map[string]Category{
		"DescribeSecurityGroups": EC2NonMutating, "DescribeSecurityGroupRules": EC2NonMutating,
		"AuthorizeSecurityGroupIngress": EC2Ingress, "RevokeSecurityGroupIngress": EC2Ingress,
		"AuthorizeSecurityGroupEgress": EC2Mutating, "RevokeSecurityGroupEgress": EC2Mutating,
		"CreateSecurityGroup": EC2Mutating, "ModifySecurityGroupRules": EC2Mutating,
		"CreateTags": EC2Tags, "DeleteTags": EC2Tags,
	}
	got := map[string]Category{}
	for action := range want {
		got[action] = EC2CategoryOf(action)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
	if l := DefaultShares().of(EC2Limits())[EC2NonMutating]; l != (Limit{Burst: 25, PerSecond: 5}) {
		t.Errorf("our share of EC2's reads is %v, want a quarter", l)
	}
}
