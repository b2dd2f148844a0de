package aws

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"
)

const (
	elb      = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:"
	lbARN    = elb + "loadbalancer/net/edge/0123456789abcdef"
	tgARN    = elb + "targetgroup/web/0123456789abcdef"
	lsARN    = elb + "listener/net/edge/0123456789abcdef/fedcba9876543210"
	ruleARN  = elb + "listener-rule/net/edge/0123456789abcdef/fedcba9876543210/00000000000000aa"
	certARN  = "arn:aws:acm:eu-west-1:123456789012:certificate/1"
	groupID  = "sg-0123456789abcdef0"
	ruleID   = "sgr-0123456789abcdef0"
	otherARN = elb + "targetgroup/other/0123456789abcdef"
)

func forward(arns ...string) []elbtypes.Action {
	var groups []elbtypes.TargetGroupTuple
	for _, a := range arns {
		groups = append(groups, elbtypes.TargetGroupTuple{TargetGroupArn: &a})
	}
	return []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, ForwardConfig: &elbtypes.ForwardActionConfig{TargetGroups: groups}}}
}

func TestWhatAWriteChanges(t *testing.T) {
	cases := map[string]struct {
		reason string
		action string
		input  any
		want   []string
	}{
		"CreateTargetGroup": {"What it will be is known by its name only.", "CreateTargetGroup",
			&elbv2.CreateTargetGroupInput{Name: sdk.String("web"), VpcId: sdk.String("vpc-1"), Tags: []elbtypes.Tag{{Key: sdk.String("Name"), Value: sdk.String(tgARN)}}}, []string{everyGroup, "web"}},
		"DeleteTargetGroup": {"Its name is free again.", "DeleteTargetGroup",
			&elbv2.DeleteTargetGroupInput{TargetGroupArn: sdk.String(tgARN)}, []string{tgARN, "end of " + tgARN, everyGroup, "web"}},
		"DeleteLoadBalancer": {"Its listeners go with it, and let go of their target groups.", "DeleteLoadBalancer",
			&elbv2.DeleteLoadBalancerInput{LoadBalancerArn: sdk.String(lbARN)}, []string{lbARN, "edge", "end of " + lbARN, everyUse}},
		"CreateListener": {"A load balancer has one more, and target groups are used.", "CreateListener",
			&elbv2.CreateListenerInput{LoadBalancerArn: sdk.String(lbARN), DefaultActions: forward(tgARN, otherARN)},
			[]string{lbARN, otherARN, tgARN, "edge", "other", everyUse, "web"}},
		"DeleteListener": {"A load balancer has one less.", "DeleteListener",
			&elbv2.DeleteListenerInput{ListenerArn: sdk.String(lsARN)}, []string{lsARN, "children of " + lbARN, "end of " + lsARN, everyUse}},
		"ModifyListenerAttributes": {"That is nobody else's business.", "ModifyListenerAttributes",
			&elbv2.ModifyListenerAttributesInput{ListenerArn: sdk.String(lsARN)}, []string{lsARN, "children of " + lbARN}},
		"ModifyRule": {"A rule is its listener's.", "ModifyRule",
			&elbv2.ModifyRuleInput{RuleArn: sdk.String(ruleARN)}, []string{ruleARN, "children of " + lsARN, everyUse}},
		"SetRulePriorities": {"Each rule is its listener's, and goes on using what it used.", "SetRulePriorities",
			&elbv2.SetRulePrioritiesInput{RulePriorities: []elbtypes.RulePriorityPair{{RuleArn: sdk.String(ruleARN)}}}, []string{ruleARN, "children of " + lsARN}},
		"AddListenerCertificates": {"The listener has one more.", "AddListenerCertificates",
			&elbv2.AddListenerCertificatesInput{ListenerArn: sdk.String(lsARN), Certificates: []elbtypes.Certificate{{CertificateArn: sdk.String(certARN)}}},
			[]string{certARN, lsARN, "children of " + lbARN}},
		"AddTags": {"All that are named.", "AddTags",
			&elbv2.AddTagsInput{ResourceArns: []string{tgARN, otherARN}}, []string{otherARN, tgARN, "other", "web"}},
		"CreateSecurityGroup": {"Names of groups are another question than groups.", "CreateSecurityGroup",
			&ec2.CreateSecurityGroupInput{GroupName: sdk.String("edge"), VpcId: sdk.String("vpc-1")}, []string{"edge", everyGroupName, everyRule}},
		"RevokeSecurityGroupEgress": {"The group has a rule less.", "RevokeSecurityGroupEgress",
			&ec2.RevokeSecurityGroupEgressInput{GroupId: sdk.String(groupID), SecurityGroupRuleIds: []string{ruleID}}, []string{everyRule, groupID, ruleID}},
		"CreateTags": {"The tag of a rule is part of its group's rules.", "CreateTags",
			&ec2.CreateTagsInput{Resources: []string{ruleID}}, []string{everyRule, ruleID}},
		"Unknown": {"Nobody knows what it does: anything.", "RotateEverything", &struct{ Zone *string }{sdk.String("a")}, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			slices.Sort(tc.want)
			if diff := cmp.Diff(tc.want, subjectsOf(tc.action, tc.input)); diff != "" {
				t.Errorf("%s\n-want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestNoWriteIsForgotten fills the input of every action of both interfaces with
// ids: every write must name all of them, whatever an SDK calls its fields.
func TestNoWriteIsForgotten(t *testing.T) {
	for _, api := range []reflect.Type{reflect.TypeFor[ELBv2](), reflect.TypeFor[EC2]()} {
		for i := range api.NumMethod() {
			action := api.Method(i).Name
			if !writes(action) {
				continue
			}
			t.Run(action, func(t *testing.T) {
				in := reflect.New(api.Method(i).Type.In(1).Elem())
				var filled []string
				fill(in.Elem(), &filled)
				got := subjectsOf(action, in.Interface())
				if len(filled) == 0 {
					t.Fatal("the test fills nothing in")
				}
				for _, id := range filled {
					if !slices.Contains(got, id) {
						t.Errorf("%s is not among %q", id, got)
					}
				}
			})
		}
	}
}

// fill puts ids into fields that are for ids.
func fill(v reflect.Value, filled *[]string) {
	put := func(f reflect.Value, s string) {
		*filled = append(*filled, s)
		switch f.Kind() {
		case reflect.Pointer:
			f.Set(reflect.ValueOf(&s))
		default:
			f.Set(reflect.ValueOf([]string{s}))
		}
	}
	ids := map[string]string{
		"LoadBalancerArn": lbARN, "TargetGroupArn": tgARN, "ListenerArn": lsARN, "RuleArn": ruleARN, "ResourceArns": otherARN,
		"GroupId": groupID, "SecurityGroupRuleIds": ruleID, "SecurityGroupRuleId": ruleID, "Resources": groupID, "Name": "a-name", "GroupName": "a-group",
	}
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		if id, ok := ids[name]; ok {
			put(f, id)
			continue
		}
		if f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.Struct && !strings.HasPrefix(name, "Tag") && name != "IpPermissions" {
			one := reflect.New(f.Type().Elem()).Elem()
			if slices.ContainsFunc(reflect.VisibleFields(one.Type()), func(x reflect.StructField) bool { return ids[x.Name] != "" }) {
				fill(one, filled)
				f.Set(reflect.Append(f, one))
			}
		}
	}
}

func TestTheLedgerHearsOfEveryEnd(t *testing.T) {
	cases := map[string]struct {
		reason string
		action string
		err    error
		heard  bool
		settle time.Duration
	}{
		"Success":  {"What is read now may be what was before.", "AddTags", nil, true, settles},
		"Refused":  {"A refused call may have had a part of its effect.", "AddTags", &smithy.GenericAPIError{Code: "TooManyTags"}, true, settles},
		"Silent":   {"A call without an answer may take effect later.", "AddTags", context.DeadlineExceeded, true, doubtful},
		"Broken":   {"Nobody knows what that means.", "AddTags", errors.New("broken"), true, doubtful},
		"Read":     {"A read changes nothing.", "DescribeTags", nil, false, 0},
		"Register": {"Targets are not kept.", "RegisterTargets", nil, false, 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			l := newLedger()
			m := middleware.InitializeHandlerFunc(func(context.Context, middleware.InitializeInput) (middleware.InitializeOutput, middleware.Metadata, error) {
				return middleware.InitializeOutput{}, middleware.Metadata{}, tc.err
			})
			ctx := middleware.WithOperationName(t.Context(), tc.action)
			before, start := l.now(), time.Now()
			_, _, err := scribe{l}.HandleInitialize(ctx, middleware.InitializeInput{Parameters: &elbv2.AddTagsInput{ResourceArns: []string{tgARN}}}, m)
			if !errors.Is(err, tc.err) {
				t.Errorf("got %v, want %v as it is", err, tc.err)
			}
			if l.unchanged([]string{tgARN}, before) == tc.heard {
				t.Error(tc.reason)
			}
			if d := l.writes[tgARN].until.Sub(start).Round(time.Second); tc.heard && d != tc.settle {
				t.Errorf("%s\nit is doubted for %s, want %s", tc.reason, d, tc.settle)
			}
		})
	}
}

func TestParentsEnd(t *testing.T) {
	want := []string{ruleARN, "end of " + lsARN, "end of " + lbARN}
	if diff := cmp.Diff(want, reliesOn(ruleARN)); diff != "" {
		t.Errorf("a rule ends with its listener, and that with its load balancer\n-want, +got:\n%s", diff)
	}
	for _, key := range []string{tgARN, lbARN, "web", groupID, "arn:", "arn:aws:elasticloadbalancing:x:1:listener"} {
		if diff := cmp.Diff([]string{key}, reliesOn(key)); diff != "" {
			t.Errorf("-want, +got:\n%s", diff)
		}
	}
}
