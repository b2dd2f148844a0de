package awssim

// xmlGroup is a target group in a result.
type xmlGroup struct {
	TargetGroupArn, TargetGroupName, Protocol string
	Port                                      int
	VPC                                       string `xml:"VpcId"`
	HealthCheckProtocol, HealthCheckPort      string
	HealthCheckEnabled                        bool
	HealthCheckIntervalSeconds                int
	HealthCheckTimeoutSeconds                 int
	HealthyThresholdCount                     int
	UnhealthyThresholdCount                   int
	HealthCheckPath                           string      `xml:",omitempty"`
	Matcher                                   *xmlMatcher `xml:",omitempty"`
	LoadBalancerArns                          members[string]
	TargetType, IpAddressType                 string //nolint:revive // The element's name in AWS's XML.
}

type xmlMatcher struct {
	Codes string `xml:"HttpCode"`
}

type xmlGroups struct {
	TargetGroups members[xmlGroup]
	NextMarker   string `xml:",omitempty"`
}

func groupList(groups ...*targetGroup) xmlGroups {
	var out xmlGroups
	for _, g := range groups {
		s, h := g.settings, g.settings.check
		x := xmlGroup{
			TargetGroupArn: g.arn, TargetGroupName: s.name, Protocol: s.protocol, Port: s.port, VPC: s.vpc,
			HealthCheckProtocol: h.protocol, HealthCheckPort: h.port, HealthCheckEnabled: true,
			HealthCheckIntervalSeconds: h.interval, HealthCheckTimeoutSeconds: h.timeout,
			HealthyThresholdCount: h.healthy, UnhealthyThresholdCount: h.unhealthy, HealthCheckPath: h.path,
			LoadBalancerArns: members[string]{g.loadBalancers()}, TargetType: s.targetType, IpAddressType: s.addressType,
		}
		if h.codes != "" {
			x.Matcher = &xmlMatcher{h.codes}
		}
		out.TargetGroups.Member = append(out.TargetGroups.Member, x)
	}
	return out
}
