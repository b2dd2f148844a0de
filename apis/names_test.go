package apis_test

import (
	"reflect"
	"strings"
	"testing"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

// TestFieldsHaveTheNamesOfAWS checks that a user who knows the ELBv2 API finds
// every field: its name is AWS's member name in lower camel case, or stands here
// with the reason why not.
func TestFieldsHaveTheNamesOfAWS(t *testing.T) {
	cases := map[string]struct {
		ours   any
		theirs []any
		prefix string
		// but are fields that AWS has no member for, with the reason.
		but map[string]string
	}{
		"TargetGroup": {
			ours: v1alpha1.TargetGroupParameters{}, theirs: []any{elbv2.CreateTargetGroupInput{}},
			but: map[string]string{
				"region":      "every managed resource has it; in the SDK it belongs to the client",
				"healthCheck": "groups the members that begin with HealthCheck",
			},
		},
		"TargetGroupObservation": {
			ours: v1alpha1.TargetGroupObservation{}, theirs: []any{types.TargetGroup{}},
			but: map[string]string{
				"arn":            "TargetGroupArn, which repeats the kind",
				"name":           "TargetGroupName, which repeats the kind",
				"healthCheck":    "groups the members that begin with HealthCheck",
				"managedTagKeys": "our own memory",
			},
		},
		"HealthCheck": {
			ours: v1alpha1.HealthCheck{}, theirs: []any{elbv2.ModifyTargetGroupInput{}}, prefix: "HealthCheck",
			but: map[string]string{
				"healthyThreshold":   "HealthyThresholdCount, named in its documentation",
				"unhealthyThreshold": "UnhealthyThresholdCount, named in its documentation",
				"matcher":            "Matcher.HttpCode, named in its documentation",
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			members := map[string]bool{}
			for _, theirs := range tc.theirs {
				for _, f := range reflect.VisibleFields(reflect.TypeOf(theirs)) {
					members[f.Name] = true
				}
			}
			used := map[string]bool{}
			for _, f := range reflect.VisibleFields(reflect.TypeOf(tc.ours)) {
				field, _, _ := strings.Cut(f.Tag.Get("json"), ",")
				member := tc.prefix + strings.ToUpper(field[:1]) + field[1:]
				if _, excused := tc.but[field]; excused {
					used[field] = true
					continue
				}
				if !members[member] {
					t.Errorf("field %s: AWS has no member %s", field, member)
				}
			}
			for field := range tc.but {
				if !used[field] {
					t.Errorf("%s is excused, but there is no such field", field)
				}
			}
		})
	}
}
