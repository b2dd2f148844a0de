package apis_test

import (
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

// A memberCase is a struct that AWS's calls take, and where each of its members is in
// the parameters of a kind.
type memberCase struct {
	theirs, ours any
	// at is the path of the field, by member.
	at map[string]string
	// but are members that have no field, with the reason.
	but map[string]string
}

const (
	whichOne = "which one: identity"
	notNLB   = "for Application or Gateway Load Balancers"
	dryRun   = "no state"
	byID     = "for default VPCs: the id says the same"
	shown    = "of results: the group says it"
)

// olderForm are members that say what IpPermissions says.
var olderForm = map[string]string{
	"CidrIp": inPermissions, "FromPort": inPermissions, "ToPort": inPermissions, "IpProtocol": inPermissions,
	"SourceSecurityGroupName": inPermissions, "SourceSecurityGroupOwnerId": inPermissions,
}

const inPermissions = "IpPermissions says the same"

func memberCases() []memberCase {
	lb, li, tg := v1alpha1.LoadBalancerParameters{}, v1alpha1.ListenerParameters{}, v1alpha1.TargetGroupParameters{}
	sg, rule := v1alpha1.SecurityGroupParameters{}, v1alpha1.SecurityGroupRuleParameters{}
	mappings := map[string]string{"SubnetMappings": "subnetMappings", "IpAddressType": "ipAddressType", "EnablePrefixForIpv6SourceNat": "enablePrefixForIpv6SourceNat"}
	subnets := "subnetMappings says the same, and more"
	groups := map[string]string{"SecurityGroups": "securityGroupIds", "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic"}
	check := map[string]string{
		"HealthCheckProtocol": "healthCheck.protocol", "HealthCheckPort": "healthCheck.port", "HealthCheckPath": "healthCheck.path",
		"HealthCheckIntervalSeconds": "healthCheck.intervalSeconds", "HealthCheckTimeoutSeconds": "healthCheck.timeoutSeconds",
		"HealthyThresholdCount": "healthCheck.healthyThreshold", "UnhealthyThresholdCount": "healthCheck.unhealthyThreshold", "Matcher": "healthCheck.matcher",
	}
	checked := "always true for the target types of Network Load Balancers"

	return []memberCase{
		{elbv2.CreateLoadBalancerInput{}, lb, with(mappings, map[string]string{
			"Name": "name", "Scheme": "scheme", "SecurityGroups": "securityGroupIds", "Tags": "tags",
		}), map[string]string{"Type": "always network", "Subnets": subnets, "CustomerOwnedIpv4Pool": notNLB, "IpamPools": notNLB}},
		{elbv2.SetSubnetsInput{}, lb, mappings, map[string]string{"LoadBalancerArn": whichOne, "Subnets": subnets}},
		{elbv2.SetSecurityGroupsInput{}, lb, groups, map[string]string{"LoadBalancerArn": whichOne}},
		{elbv2.SetIpAddressTypeInput{}, lb, map[string]string{"IpAddressType": "ipAddressType"}, map[string]string{"LoadBalancerArn": whichOne}},
		{elbv2.ModifyCapacityReservationInput{}, lb, map[string]string{"MinimumLoadBalancerCapacity": "minimumCapacityUnits"},
			map[string]string{"LoadBalancerArn": whichOne, "ResetCapacityReservation": "minimumCapacityUnits: 0"}},
		{types.SubnetMapping{}, v1alpha1.SubnetMapping{}, map[string]string{
			"SubnetId": "subnetId", "AllocationId": "allocationId", "PrivateIPv4Address": "privateIPv4Address", "IPv6Address": "ipv6Address",
			"SourceNatIpv6Prefix": "sourceNatIpv6Prefix",
		}, nil},

		{elbv2.CreateListenerInput{}, li, map[string]string{
			"LoadBalancerArn": "loadBalancerArn", "Port": "port", "Protocol": "protocol", "DefaultActions": "forward", "Certificates": "certificateArns",
			"SslPolicy": "sslPolicy", "AlpnPolicy": "alpnPolicy", "Tags": "tags",
		}, map[string]string{"MutualAuthentication": notNLB}},
		{elbv2.ModifyListenerInput{}, li, map[string]string{
			"Port": "port", "Protocol": "protocol", "DefaultActions": "forward", "Certificates": "certificateArns", "SslPolicy": "sslPolicy", "AlpnPolicy": "alpnPolicy",
		}, map[string]string{"ListenerArn": whichOne, "MutualAuthentication": notNLB}},
		{types.Action{}, li, map[string]string{"TargetGroupArn": "forward.targetGroups.targetGroupArn", "ForwardConfig": "forward"}, map[string]string{
			"Type": "always forward", "Order": "there is one action", "AuthenticateCognitoConfig": notNLB, "AuthenticateOidcConfig": notNLB,
			"FixedResponseConfig": notNLB, "RedirectConfig": notNLB, "JwtValidationConfig": notNLB,
		}},
		{elbv2.ModifyRuleInput{}, li, map[string]string{"Conditions": "rules.sourceIpAddressType", "Actions": "rules.forward"},
			map[string]string{"RuleArn": whichOne, "Transforms": notNLB, "ResetTransforms": notNLB}},
		{types.RuleCondition{}, li, map[string]string{"SourceIpConfig": "rules.sourceIpAddressType"}, map[string]string{
			"Field": "always source-ip", "Values": notNLB, "RegexValues": notNLB, "HostHeaderConfig": notNLB, "HttpHeaderConfig": notNLB,
			"HttpRequestMethodConfig": notNLB, "PathPatternConfig": notNLB, "QueryStringConfig": notNLB,
		}},
		{types.Certificate{}, li, map[string]string{"CertificateArn": "certificateArns"}, map[string]string{"IsDefault": "of results"}},
		{elbv2.AddListenerCertificatesInput{}, li, map[string]string{"Certificates": "certificateArns"}, map[string]string{"ListenerArn": whichOne}},
		{elbv2.CreateRuleInput{}, li, map[string]string{
			"Priority": "rules.priority", "Conditions": "rules.sourceIpAddressType", "Actions": "rules.forward", "Tags": "tags",
		}, map[string]string{"ListenerArn": whichOne, "Transforms": notNLB}},
		{types.SourceIpConditionConfig{}, li, map[string]string{"IpAddressType": "rules.sourceIpAddressType"}, map[string]string{"Values": notNLB}},
		{types.ForwardActionConfig{}, li, map[string]string{"TargetGroups": "forward.targetGroups", "TargetGroupStickinessConfig": "forward.stickiness"}, nil},
		{types.TargetGroupTuple{}, li, map[string]string{"TargetGroupArn": "forward.targetGroups.targetGroupArn", "Weight": "forward.targetGroups.weight"}, nil},
		{types.TargetGroupStickinessConfig{}, li, map[string]string{"Enabled": "forward.stickiness"}, map[string]string{"DurationSeconds": notNLB}},

		{elbv2.CreateTargetGroupInput{}, tg, with(check, map[string]string{
			"Name": "name", "Protocol": "protocol", "Port": "port", "VpcId": "vpcId", "TargetType": "targetType", "IpAddressType": "ipAddressType", "Tags": "tags",
		}), map[string]string{"ProtocolVersion": notNLB, "TargetControlPort": notNLB, "HealthCheckEnabled": checked}},
		{elbv2.ModifyTargetGroupInput{}, tg, check, map[string]string{"TargetGroupArn": whichOne, "HealthCheckEnabled": checked}},
		{types.Matcher{}, tg, map[string]string{"HttpCode": "healthCheck.matcher"}, map[string]string{"GrpcCode": notNLB}},

		{ec2.CreateSecurityGroupInput{}, sg, map[string]string{
			"GroupName": "name", "Description": "description", "VpcId": "vpcId", "TagSpecifications": "tags",
		}, map[string]string{"DryRun": dryRun}},
		{ec2types.SecurityGroupRuleRequest{}, rule, map[string]string{
			"IpProtocol": "protocol", "FromPort": "fromPort", "ToPort": "toPort", "CidrIpv4": "cidrIpv4", "CidrIpv6": "cidrIpv6", "PrefixListId": "prefixListId",
			"ReferencedGroupId": "referencedSecurityGroupId", "Description": "description",
		}, nil},
		{ec2.AuthorizeSecurityGroupIngressInput{}, rule, map[string]string{
			"GroupId": "securityGroupId", "IpPermissions": "protocol", "TagSpecifications": "tags",
		}, with(olderForm, map[string]string{"DryRun": dryRun, "GroupName": byID})},
		{ec2.AuthorizeSecurityGroupEgressInput{}, rule, map[string]string{
			"GroupId": "securityGroupId", "IpPermissions": "protocol", "TagSpecifications": "tags",
		}, with(olderForm, map[string]string{"DryRun": dryRun})},
		{ec2types.IpPermission{}, rule, map[string]string{
			"IpProtocol": "protocol", "FromPort": "fromPort", "ToPort": "toPort", "IpRanges": "cidrIpv4", "Ipv6Ranges": "cidrIpv6",
			"PrefixListIds": "prefixListId", "UserIdGroupPairs": "referencedSecurityGroupId",
		}, nil},
		{ec2types.UserIdGroupPair{}, rule, map[string]string{
			"GroupId": "referencedSecurityGroupId", "UserId": "referencedSecurityGroupId", "Description": "description",
		}, map[string]string{"GroupName": byID, "PeeringStatus": shown, "VpcId": shown, "VpcPeeringConnectionId": shown}},
	}
}

func with(a, b map[string]string) map[string]string {
	out := map[string]string{}
	for _, m := range []map[string]string{a, b} {
		maps.Copy(out, m)
	}

	return out
}

// TestEveryMemberOfAWSHasAField is the other way round: whatever AWS's calls take for
// a Network Load Balancer and what belongs to it can be declared.
func TestEveryMemberOfAWSHasAField(t *testing.T) {
	for _, tc := range memberCases() {
		theirs := reflect.TypeOf(tc.theirs)
		t.Run(theirs.Name(), func(t *testing.T) {
			members := map[string]bool{}

			for _, f := range reflect.VisibleFields(theirs) {
				if !f.IsExported() {
					continue
				}

				members[f.Name] = true
				path, has := tc.at[f.Name]

				switch _, excused := tc.but[f.Name]; {
				case has == excused:
					t.Errorf("AWS takes %s: say which field it is, or why there is none", f.Name)
				case has && !leads(reflect.TypeOf(tc.ours), strings.Split(path, ".")):
					t.Errorf("%s should be %s, but there is no such field", f.Name, path)
				}
			}

			for m := range with(tc.at, tc.but) {
				if !members[m] {
					t.Errorf("AWS has no member %s", m)
				}
			}
		})
	}
}

// leads says whether a path of fields leads somewhere.
func leads(in reflect.Type, path []string) bool {
	for in.Kind() == reflect.Pointer || in.Kind() == reflect.Slice {
		in = in.Elem()
	}

	if len(path) == 0 {
		return true
	}

	if in.Kind() != reflect.Struct {
		return false
	}

	for _, f := range reflect.VisibleFields(in) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name == path[0] {
			return leads(f.Type, path[1:])
		}
	}

	return false
}
