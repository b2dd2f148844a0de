package targetgroupbinding

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

func ptr[T any](v T) *T { return &v }

func TestPolicyOf(t *testing.T) {
	cases := map[string]struct {
		reason string
		spec   v1alpha1.TargetGroupBindingParameters
		want   targets.Policy
	}{
		"NothingSetIsNothingChosen": {
			reason: "package targets has the defaults, in one place",
		},
		"EveryChoiceIsRead": {
			reason: "each field of the spec reaches the plan",
			spec: v1alpha1.TargetGroupBindingParameters{
				Ownership: ptr("Exclusive"), EmptyPolicy: ptr("Deregister"), InPlaceRestart: ptr("Deregister"),
				NotReady:     &v1alpha1.NotReady{Policy: ptr("Deregister"), AfterSeconds: ptr(int32(60))},
				Departures:   &v1alpha1.Departures{MaxUnavailable: ptr(intstr.FromString("25%"))},
				RegisterWhen: ptr("Scheduled"),
			},
			want: targets.Policy{
				Ownership: targets.OwnershipExclusive, EmptyDeregister: true, RestartDeregister: true,
				NotReadyDeregister: true, NotReadyAfter: time.Minute,
				MaxUnavailable: 25, MaxUnavailablePercent: true, RegisterScheduled: true,
			},
		},
		"ANumberIsNoPercentage": {
			reason: "maxUnavailable: 3 is three targets",
			spec:   v1alpha1.TargetGroupBindingParameters{Departures: &v1alpha1.Departures{MaxUnavailable: ptr(intstr.FromInt32(3))}},
			want:   targets.Policy{MaxUnavailable: 3},
		},
		"TheDefaultsWrittenOutAreTheDefaults": {
			reason: "Hold, Keep, Retain, Ready and Shared switch nothing on",
			spec: v1alpha1.TargetGroupBindingParameters{
				Ownership: ptr("Shared"), EmptyPolicy: ptr("Hold"), InPlaceRestart: ptr("Keep"),
				NotReady: &v1alpha1.NotReady{Policy: ptr("Retain")}, RegisterWhen: ptr("Ready"),
			},
			want: targets.Policy{Ownership: targets.OwnershipShared},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, policyOf(&tc.spec)); diff != "" {
				t.Errorf("%s: %s", tc.reason, diff)
			}
		})
	}
}

func TestServable(t *testing.T) {
	group := func(protocol, typ, check string) foundGroup {
		return foundGroup{Group: targets.Group{ARN: "arn", Protocol: protocol, Type: targets.Type(typ), Check: targets.HealthCheck{Port: check}}}
	}
	cases := map[string]struct {
		reason string
		spec   v1alpha1.TargetGroupBindingParameters
		group  foundGroup
		want   string
	}{
		"TCPIsServed": {reason: "the common case", group: group("TCP", "instance", "traffic-port")},
		"TLSIsServed": {reason: "it is TCP to the target", group: group("TLS", "ip", "traffic-port")},
		"AnotherTypeIsRefused": {
			reason: "the spec says what the user believes",
			spec:   v1alpha1.TargetGroupBindingParameters{TargetType: ptr("ip")}, group: group("TCP", "instance", "traffic-port"),
			want: "spec.forProvider.targetType is ip, but target group arn has target type instance: remove the field, or name another target group",
		},
		"ALBTargetsAreRefused": {
			reason: "pods are no load balancers", group: group("TCP", "alb", "traffic-port"),
			want: "target group arn has target type alb: a binding serves instance and ip; name a target group of one of these",
		},
		"QUICIsRefused": {
			reason: "QUIC targets need server ids", group: group("QUIC", "instance", "80"),
			want: "target group arn has protocol QUIC: a binding serves TCP, TLS, UDP and TCP_UDP; name another target group",
		},
		"UDPNeedsACheckPort": {
			reason: "AWS checks over TCP", group: group("UDP", "instance", "traffic-port"),
			want: "target group arn has protocol UDP and checks health on the traffic port, which cannot tell anything of UDP: set healthCheck.port of the target group to a port that answers TCP, HTTP or HTTPS",
		},
		"SoDoesTCPAndUDP": {
			reason: "a process that answers TCP says nothing of UDP", group: group("TCP_UDP", "instance", "traffic-port"),
			want: "target group arn has protocol TCP_UDP and checks health on the traffic port, which cannot tell anything of UDP: set healthCheck.port of the target group to a port that answers TCP, HTTP or HTTPS",
		},
		"QUICWithTCPIsRefused": {
			reason: "QUIC targets need server ids", group: group("TCP_QUIC", "instance", "80"),
			want: "target group arn has protocol TCP_QUIC: a binding serves TCP, TLS, UDP and TCP_UDP; name another target group",
		},
		"UDPWithACheckPortIsServed": {reason: "the check has a port of its own", group: group("UDP", "instance", "8080")},
		"AnInvalidSelectorIsRefused": {
			reason: "the schema cannot tell operators from values",
			spec: v1alpha1.TargetGroupBindingParameters{NodeSelector: &metav1.LabelSelector{
				MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Inn"}},
			}},
			group: group("TCP", "instance", "traffic-port"),
			want:  `spec.forProvider.nodeSelector: "Inn" is not a valid label selector operator`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := ""
			if err := servable(&tc.spec, tc.group); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: %s", tc.reason, diff)
			}
		})
	}
}

func TestRecordedIPsAreReadBack(t *testing.T) {
	keys := []targets.Key{{ID: "10.0.0.7", Port: 80}, {ID: "fd00::1", Port: 443}}
	own := ownIPs(recordIPs(keys))
	if diff := cmp.Diff(map[targets.Key]bool{keys[0]: true, keys[1]: true}, own); diff != "" {
		t.Error(diff)
	}
}
