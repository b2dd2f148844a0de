package apis_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

// A nameCase is a struct of ours, and what AWS calls its fields.
type nameCase struct {
	ours   any
	theirs []any
	prefix string
	// but are fields that AWS has no member for, with the reason.
	but map[string]string
}

// TestFieldsHaveTheNamesOfAWS checks that a user who knows the ELBv2 API finds
// every field: its name is AWS's member name in lower camel case, or stands here
// with the reason why not.
func TestFieldsHaveTheNamesOfAWS(t *testing.T) {
	cases := map[string]nameCase{
		"LoadBalancer":            loadBalancerNames,
		"LoadBalancerObservation": loadBalancerObservedNames,
		"SubnetMapping":           {ours: v1alpha1.SubnetMapping{}, theirs: []any{types.SubnetMapping{}}, but: ipv6Name},
		"LoadBalancerAddress":     {ours: v1alpha1.LoadBalancerAddress{}, theirs: []any{types.LoadBalancerAddress{}}, but: ipv6Name},
		"Listener":                listenerNames,
		"ListenerObservation":     listenerObservedNames,
		"TargetGroup": {
			ours: v1alpha1.TargetGroupParameters{}, theirs: []any{elbv2.CreateTargetGroupInput{}},
			but: map[string]string{
				"region":      "every managed resource has it; in the SDK it belongs to the client",
				"healthCheck": "groups the members that begin with HealthCheck",

				"deregistrationDelaySeconds":            "attribute deregistration_delay.timeout_seconds",
				"connectionTerminationOnDeregistration": "attribute deregistration_delay.connection_termination.enabled",
				"crossZone":                             "attribute load_balancing.cross_zone.enabled",
				"preserveClientIp":                      "attribute preserve_client_ip.enabled",
				"proxyProtocolV2":                       "attribute proxy_protocol_v2.enabled",
				"stickiness":                            "attribute stickiness.enabled",
				"targetGroupHealth":                     "groups the attributes that begin with target_group_health",
				"unhealthyTargets":                      "groups the attributes that begin with target_health_state.unhealthy",
				"attributes":                            "the attributes that have no field",
			},
		},
		"TargetGroupObservation": {
			ours: v1alpha1.TargetGroupObservation{}, theirs: []any{types.TargetGroup{}},
			but: map[string]string{
				"arn":            "TargetGroupArn, which repeats the kind",
				"name":           "TargetGroupName, which repeats the kind",
				"healthCheck":    "groups the members that begin with HealthCheck",
				"managedTagKeys": "our own memory",

				"managedAttributeKeys": "our own memory",
				"attributes":           "the answer of DescribeTargetGroupAttributes",
			},
		},
		"SecurityGroup": {
			ours: v1alpha1.SecurityGroupParameters{}, theirs: []any{ec2.CreateSecurityGroupInput{}},
			but: map[string]string{
				"region":              "every managed resource has it; in the SDK it belongs to the client",
				"name":                "GroupName, named in its documentation",
				"revokeDefaultEgress": "a call of its own, RevokeSecurityGroupEgress",
				"tags":                "TagSpecifications",
			},
		},
		"SecurityGroupObservation": {
			ours: v1alpha1.SecurityGroupObservation{}, theirs: []any{ec2types.SecurityGroup{}},
			but: map[string]string{
				"id":                   "GroupId, which repeats the kind",
				"arn":                  "SecurityGroupArn, which repeats the kind",
				"name":                 "GroupName, which repeats the kind",
				"defaultEgressRevoked": "our own memory",
				"managedTagKeys":       "our own memory",
			},
		},
		"SecurityGroupRule": {
			ours: v1alpha1.SecurityGroupRuleParameters{}, theirs: []any{ec2types.SecurityGroupRule{}},
			but: map[string]string{
				"region":                            "every managed resource has it; in the SDK it belongs to the client",
				"securityGroupId":                   "GroupId, named in its documentation",
				"securityGroupIdRef":                "a reference",
				"securityGroupIdSelector":           "a reference",
				"direction":                         "IsEgress, and the name of the calls",
				"protocol":                          "IpProtocol, named in its documentation",
				"referencedSecurityGroupId":         "ReferencedGroupInfo.GroupId",
				"referencedSecurityGroupIdRef":      "a reference",
				"referencedSecurityGroupIdSelector": "a reference",
			},
		},
		"SecurityGroupRuleObservation": {
			ours: v1alpha1.SecurityGroupRuleObservation{}, theirs: []any{ec2types.SecurityGroupRule{}},
			but: map[string]string{
				"id":              "SecurityGroupRuleId, which repeats the kind",
				"arn":             "SecurityGroupRuleArn, which repeats the kind",
				"securityGroupId": "GroupId",
				"direction":       "IsEgress, in words",
				"protocol":        "IpProtocol",
				"source":          "whichever of CidrIpv4, CidrIpv6, PrefixListId and ReferencedGroupInfo it has",
				"managedTagKeys":  "our own memory",
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
