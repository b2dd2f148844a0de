package loadbalancer

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

// Keys of attributes that have fields.
const (
	keyDeletionProtection = "deletion_protection.enabled"
	keyCrossZone          = "load_balancing.cross_zone.enabled"
	keyLogsEnabled        = "access_logs.s3.enabled"
	keyLogsBucket         = "access_logs.s3.bucket"
	keyLogsPrefix         = "access_logs.s3.prefix"
	keyDenyIGW            = "ipv6.deny_all_igw_traffic"
	keyZonalShift         = "zonal_shift.config.enabled"
	keyClientRouting      = "dns_record.client_routing_policy"
	keySecondaryIPs       = "secondary_ips.auto_assigned.per_subnet"
)

// wantedAttributes are those that the spec declares, as AWS writes them.
func wantedAttributes(p *v1alpha1.LoadBalancerParameters) map[string]string {
	want := map[string]string{}
	for k, v := range p.Attributes {
		want[k] = string(v)
	}

	flag := func(key string, v *bool) {
		if v != nil {
			want[key] = strconv.FormatBool(*v)
		}
	}
	text := func(key string, v *string) {
		if v != nil {
			want[key] = *v
		}
	}

	flag(keyDeletionProtection, p.DeletionProtection)
	flag(keyCrossZone, p.CrossZone)
	flag(keyDenyIGW, p.IPv6DenyAllIGWTraffic)
	flag(keyZonalShift, p.ZonalShift)
	text(keyClientRouting, p.DNSClientRoutingPolicy)

	if l := p.AccessLogs; l != nil {
		flag(keyLogsEnabled, &l.Enabled)
		text(keyLogsBucket, l.Bucket)
		text(keyLogsPrefix, l.Prefix)
	}

	if n := p.SecondaryIPsPerSubnet; n != nil {
		want[keySecondaryIPs] = strconv.Itoa(int(*n))
	}

	return want
}

// defaults that AWS documents for a scheme. secondary_ips.auto_assigned.per_subnet
// has one, but can never go back to it.
// Source: ELBv2 API reference, LoadBalancerAttribute.
func defaults(scheme string) map[string]string {
	return map[string]string{
		keyDeletionProtection: "false",
		keyCrossZone:          "false",
		keyLogsEnabled:        "false",
		keyLogsBucket:         "",
		keyLogsPrefix:         "",
		keyDenyIGW:            strconv.FormatBool(scheme == string(types.LoadBalancerSchemeEnumInternal)),
		keyZonalShift:         "false",
		keyClientRouting:      "any_availability_zone",
	}
}

// fewer says that there would be fewer secondary addresses, which AWS refuses.
func fewer(have, want map[string]string) bool {
	h, errHave := strconv.Atoi(have[keySecondaryIPs])
	w, errWant := strconv.Atoi(want[keySecondaryIPs])

	return errHave == nil && errWant == nil && w < h
}
