package targetgroup

import (
	"slices"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// createInput declares what the spec declares, and nothing else.
func createInput(name string, p *v1alpha1.TargetGroupParameters, tags map[string]string) *elbv2.CreateTargetGroupInput {
	in := &elbv2.CreateTargetGroupInput{
		Name:          &name,
		Protocol:      types.ProtocolEnum(str(p.Protocol)),
		Port:          p.Port,
		VpcId:         p.VPCID,
		TargetType:    types.TargetTypeEnum(str(p.TargetType)),
		IpAddressType: types.TargetGroupIpAddressTypeEnum(str(p.IPAddressType)),
		Tags:          controller.ELBv2Tags(tags),
	}

	if h := p.HealthCheck; h != nil {
		in.HealthCheckProtocol = types.ProtocolEnum(str(h.Protocol))
		in.HealthCheckPort = h.Port
		in.HealthCheckPath = h.Path
		in.HealthCheckIntervalSeconds = h.IntervalSeconds
		in.HealthCheckTimeoutSeconds = h.TimeoutSeconds
		in.HealthyThresholdCount = h.HealthyThreshold
		in.UnhealthyThresholdCount = h.UnhealthyThreshold
		in.Matcher = matcher(h.Matcher)
	}

	return in
}

// modifyInput declares the fields of the health check that the spec declares.
func modifyInput(arn string, h *v1alpha1.HealthCheck) *elbv2.ModifyTargetGroupInput {
	return &elbv2.ModifyTargetGroupInput{
		TargetGroupArn:             &arn,
		HealthCheckProtocol:        types.ProtocolEnum(str(h.Protocol)),
		HealthCheckPort:            h.Port,
		HealthCheckPath:            h.Path,
		HealthCheckIntervalSeconds: h.IntervalSeconds,
		HealthCheckTimeoutSeconds:  h.TimeoutSeconds,
		HealthyThresholdCount:      h.HealthyThreshold,
		UnhealthyThresholdCount:    h.UnhealthyThreshold,
		Matcher:                    matcher(h.Matcher),
	}
}

func matcher(codes *string) *types.Matcher {
	if codes == nil {
		return nil
	}

	return &types.Matcher{HttpCode: codes}
}

// observation is what status shows.
func observation(g types.TargetGroup) v1alpha1.TargetGroupObservation {
	s := have(g)

	return v1alpha1.TargetGroupObservation{
		ARN:           str(g.TargetGroupArn),
		Name:          s.name,
		Protocol:      s.protocol,
		Port:          s.port,
		VPCID:         s.vpcID,
		TargetType:    s.targetType,
		IPAddressType: s.ipAddressType,
		HealthCheck: &v1alpha1.HealthCheck{
			Protocol:           shown(s.health.protocol),
			Port:               shown(s.health.port),
			Path:               shown(s.health.path),
			Matcher:            shown(s.health.matcher),
			IntervalSeconds:    shown(s.health.interval),
			TimeoutSeconds:     shown(s.health.timeout),
			HealthyThreshold:   shown(s.health.healthy),
			UnhealthyThreshold: shown(s.health.unhealthy),
		},
		LoadBalancerARNs: slices.Sorted(slices.Values(g.LoadBalancerArns)),
	}
}

// shown leaves out what AWS left out.
func shown[T comparable](v T) *T {
	var none T
	if v == none {
		return nil
	}

	return &v
}
