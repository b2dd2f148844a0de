package targetgroupbinding

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

func TestWhatToAllow(t *testing.T) {
	group := func(port string) targets.Group {
		return targets.Group{ARN: "arn", Check: targets.HealthCheck{Protocol: "TCP", Port: port}}
	}
	cases := map[string]struct {
		reason string
		group  targets.Group
		ports  []int32
		from   prober
		want   string
	}{
		"FromTheLoadBalancersSecurityGroup": {
			reason: "a rule between security groups outlives addresses", group: group("traffic-port"), ports: []int32{8443},
			from: prober{loadBalancer: "edge", securityGroups: []string{"sg-1"}, subnets: []string{"subnet-1"}},
			want: "a security group of the nodes or a network ACL drops the checks of target group arn; allow TCP 8443 from the security group of the load balancer edge (sg-1), in the nodes' security groups and the network ACLs of the subnets, and the same outbound in the load balancer's security group",
		},
		"FromItsSubnetsWithoutOne": {
			reason: "a load balancer without security group can only be named by its addresses", group: group("8081"), ports: []int32{8443},
			from: prober{loadBalancer: "edge", subnets: []string{"subnet-2", "subnet-1"}},
			want: "a security group of the nodes or a network ACL drops the checks of target group arn; allow TCP 8081 from the addresses of the load balancer edge, which has no security group, in its subnets (subnet-1, subnet-2), in the nodes' security groups and the network ACLs of the subnets",
		},
		"WhereItCannotBeRead": {
			reason: "advice without names is better than none", group: group(""),
			want: "a security group of the nodes or a network ACL drops the checks of target group arn; allow TCP the traffic port from the security group of the load balancer, or from its subnets if it has none, in the nodes' security groups and the network ACLs of the subnets",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, toAllow(tc.group, tc.ports, tc.from)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
