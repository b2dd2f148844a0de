package targetgroup

import (
	"context"
	"maps"
	"slices"
	"strconv"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// The keys of the attributes that have a field.
const (
	keyDelay           = "deregistration_delay.timeout_seconds"
	keyTermination     = "deregistration_delay.connection_termination.enabled"
	keyCrossZone       = "load_balancing.cross_zone.enabled"
	keyClientIP        = "preserve_client_ip.enabled"
	keyProxyProtocol   = "proxy_protocol_v2.enabled"
	keyStickiness      = "stickiness.enabled"
	keyStickinessType  = "stickiness.type"
	keyFailoverCount   = "target_group_health.dns_failover.minimum_healthy_targets.count"
	keyFailoverPercent = "target_group_health.dns_failover.minimum_healthy_targets.percentage"
	keyRoutingCount    = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count"
	keyRoutingPercent  = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage"
	keyUnhealthyEnds   = "target_health_state.unhealthy.connection_termination.enabled"
	keyUnhealthyDrains = "target_health_state.unhealthy.draining_interval_seconds"
)

// sourceIP is the only type of stickiness of a Network Load Balancer.
const sourceIP = "source_ip"

// attributes that the spec declares, by AWS's keys.
func attributes(p *v1alpha1.TargetGroupParameters) map[string]string {
	out := map[string]string{}
	for k, v := range p.Attributes {
		out[k] = string(v)
	}

	put(out, keyDelay, p.DeregistrationDelaySeconds, decimal)
	put(out, keyTermination, p.ConnectionTerminationOnDeregistration, strconv.FormatBool)
	put(out, keyCrossZone, p.CrossZone, same)
	put(out, keyClientIP, p.PreserveClientIP, strconv.FormatBool)
	put(out, keyProxyProtocol, p.ProxyProtocolV2, strconv.FormatBool)
	put(out, keyStickiness, p.Stickiness, strconv.FormatBool)

	if out[keyStickiness] == "true" {
		out[keyStickinessType] = sourceIP
	}

	if h := p.TargetGroupHealth; h != nil && h.DNSFailover != nil {
		put(out, keyFailoverCount, h.DNSFailover.MinimumCount, same)
		put(out, keyFailoverPercent, h.DNSFailover.MinimumPercentage, same)
	}

	if h := p.TargetGroupHealth; h != nil && h.UnhealthyStateRouting != nil {
		put(out, keyRoutingCount, h.UnhealthyStateRouting.MinimumCount, same)
		put(out, keyRoutingPercent, h.UnhealthyStateRouting.MinimumPercentage, same)
	}

	if u := p.UnhealthyTargets; u != nil {
		put(out, keyUnhealthyEnds, u.ConnectionTermination, strconv.FormatBool)
		put(out, keyUnhealthyDrains, u.DrainingIntervalSeconds, decimal)
	}

	return out
}

func put[T any](to map[string]string, key string, declared *T, text func(T) string) {
	if declared != nil {
		to[key] = text(*declared)
	}
}

func same(s string) string { return s }

func decimal(n int32) string { return strconv.Itoa(int(n)) }

// defaults are AWS's for a group of this protocol and target type:
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-target-groups.html#target-group-attributes
func defaults(s state) map[string]string {
	udp := s.protocol == "UDP" || s.protocol == "TCP_UDP"
	tcp := s.protocol == "TCP" || s.protocol == "TLS"

	return map[string]string{
		keyDelay:           "300",
		keyTermination:     strconv.FormatBool(udp),
		keyCrossZone:       "use_load_balancer_configuration",
		keyClientIP:        strconv.FormatBool(s.targetType != "ip" || !tcp),
		keyProxyProtocol:   "false",
		keyStickiness:      "false",
		keyStickinessType:  sourceIP,
		keyFailoverCount:   "1",
		keyFailoverPercent: "off",
		keyRoutingCount:    "1",
		keyRoutingPercent:  "off",
		keyUnhealthyEnds:   strconv.FormatBool(!udp),
		keyUnhealthyDrains: "0",
	}
}

// readAttributes of the group. Of a group of which none is managed, or that is
// being deleted, they are not read, unless the object is there to show them.
func (e *external) readAttributes(ctx context.Context, g *group, managed []string) error {
	if e.deleting || len(e.attributes) == 0 && len(managed) == 0 && !e.onlyObserves() {
		return nil
	}

	var err error
	if g.attributes, err = e.read.TargetGroupAttributes(ctx, g.arn(), e.ages.Details); err != nil {
		return controller.Failed("read the attributes of "+g.String(), err)
	}

	return nil
}

// setAttributes by one call, so that those that depend on each other change
// together.
func (e *external) setAttributes(ctx context.Context, arn string, set map[string]string) error {
	if len(set) == 0 {
		return nil
	}

	in := &elbv2.ModifyTargetGroupAttributesInput{TargetGroupArn: &arn}
	for _, k := range slices.Sorted(maps.Keys(set)) {
		v := set[k]
		in.Attributes = append(in.Attributes, types.TargetGroupAttribute{Key: &k, Value: &v})
	}

	_, err := e.elb.ModifyTargetGroupAttributes(ctx, in)

	return err
}
