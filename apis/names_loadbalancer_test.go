package apis_test

import (
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

const (
	inClient  = "every managed resource has it; in the SDK it belongs to the client"
	aRef      = "a reference to an object of ours"
	ourMemory = "our own memory"
)

// ipv6Name is how design §3 writes it.
var ipv6Name = map[string]string{"ipv6Address": "IPv6Address, which lower camel case writes ipv6Address"}

var (
	loadBalancerNames = nameCase{
		ours: v1alpha1.LoadBalancerParameters{}, theirs: []any{elbv2.CreateLoadBalancerInput{}, elbv2.SetSecurityGroupsInput{}},
		but: map[string]string{
			"region":                  inClient,
			"securityGroupIds":        "SecurityGroups, with what its members are, so that references fit",
			"securityGroupIdRefs":     aRef,
			"securityGroupIdSelector": aRef,
			"minimumCapacityUnits":    "MinimumLoadBalancerCapacity.CapacityUnits, named in its documentation",
			"deletionProtection":      "attribute deletion_protection.enabled",
			"crossZone":               "attribute load_balancing.cross_zone.enabled",
			"accessLogs":              "groups the attributes that begin with access_logs.s3",
			"ipv6DenyAllIgwTraffic":   "attribute ipv6.deny_all_igw_traffic",
			"zonalShift":              "attribute zonal_shift.config.enabled",
			"dnsClientRoutingPolicy":  "attribute dns_record.client_routing_policy",
			"secondaryIpsPerSubnet":   "attribute secondary_ips.auto_assigned.per_subnet",
			"attributes":              "the attributes that have no field",
		},
	}
	loadBalancerObservedNames = nameCase{
		ours: v1alpha1.LoadBalancerObservation{}, theirs: []any{types.LoadBalancer{}},
		but: map[string]string{
			"arn":                  "LoadBalancerArn, which repeats the kind",
			"name":                 "LoadBalancerName, which repeats the kind",
			"dnsName":              "DNSName, which lower camel case writes dnsName",
			"securityGroupIds":     "SecurityGroups, with what its members are",
			"capacity":             "the answer of DescribeCapacityReservation",
			"attributes":           "the answer of DescribeLoadBalancerAttributes",
			"managedTagKeys":       ourMemory,
			"managedAttributeKeys": ourMemory,
		},
	}
	listenerNames = nameCase{
		ours: v1alpha1.ListenerParameters{}, theirs: []any{elbv2.CreateListenerInput{}},
		but: map[string]string{
			"region":                  inClient,
			"loadBalancerArnRef":      aRef,
			"loadBalancerArnSelector": aRef,
			"forward":                 "the one action of DefaultActions, named in its documentation",
			"certificateArns":         "Certificates, and what AddListenerCertificates adds",
			"tcpIdleTimeoutSeconds":   "attribute tcp.idle_timeout.seconds",
			"rules":                   "what CreateRule makes",
		},
	}
	listenerObservedNames = nameCase{
		ours: v1alpha1.ListenerObservation{}, theirs: []any{types.Listener{}},
		but: map[string]string{
			"arn":                    "ListenerArn, which repeats the kind",
			"targetGroupArns":        "those in DefaultActions and rules",
			"certificateArns":        "those in Certificates and in DescribeListenerCertificates",
			"managedTagKeys":         ourMemory,
			"managedAttributeKeys":   ourMemory,
			"managedRulePriorities":  ourMemory,
			"managedCertificateArns": ourMemory,
		},
	}
)
