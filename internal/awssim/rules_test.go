package awssim_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// rule is something that AWS documents, and a test that the simulator does it.
type rule struct {
	reason string
	// source is a page of docs.aws.amazon.com/elasticloadbalancing/latest/, or
	// where somebody saw AWS do it.
	source string
	test   func(b *bench)
}

func run(t *testing.T, rules map[string]rule) {
	t.Helper()
	for name, r := range rules {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if r.reason == "" || r.source == "" {
				t.Fatal("a rule needs a reason and a source")
			}
			r.test(newBench(t, awssim.Options{}))
			if t.Failed() {
				t.Logf("%s (%s)", r.reason, r.source)
			}
		})
	}
}

// creating is a rule that CreateTargetGroup refuses something.
func creating(code, reason, source string, change func(*elbv2.CreateTargetGroupInput)) rule {
	return rule{reason, source, func(b *bench) {
		_, err := b.create(change)
		b.refused(err, code)
		if n := len(b.sim.TargetGroups(awssim.DefaultAccount, region)); n != 0 {
			b.t.Errorf("%d target groups after a refused create, want none", n)
		}
	}}
}

const (
	createDoc = "APIReference/API_CreateTargetGroup.html"
	healthDoc = "network/target-group-health-checks.html"
	reasonDoc = "network/check-target-health.html"
)

func TestCreateTargetGroupRefuses(t *testing.T) {
	t.Parallel()
	type in = elbv2.CreateTargetGroupInput
	run(t, map[string]rule{
		"NameTooLong": creating("ValidationError", "A name has at most 32 characters.", createDoc,
			func(i *in) { i.Name = aws.String(strings.Repeat("a", 33)) }),
		"NameWithUnderscore": creating("ValidationError", "A name has letters, digits and hyphens only.", createDoc,
			func(i *in) { i.Name = aws.String("a_b") }),
		"NameBeginsWithHyphen": creating("ValidationError", "A name must not begin with a hyphen.", createDoc,
			func(i *in) { i.Name = aws.String("-a") }),
		"NameEndsWithHyphen": creating("ValidationError", "A name must not end with a hyphen.", createDoc,
			func(i *in) { i.Name = aws.String("a-") }),
		"NoVPC": creating("ValidationError", "Every target type but lambda needs a VPC.", createDoc,
			func(i *in) { i.VpcId = nil }),
		"UnknownVPC": creating("ValidationError", "The VPC has to exist.", createDoc,
			func(i *in) { i.VpcId = aws.String("vpc-1") }),
		"NoPort":     creating("ValidationError", "Every target type but lambda needs a port.", createDoc, func(i *in) { i.Port = nil }),
		"NoProtocol": creating("ValidationError", "Every target type but lambda needs a protocol.", createDoc, func(i *in) { i.Protocol = "" }),
		"PortTooLarge": creating("ValidationError", "A port is 1-65535.", createDoc,
			func(i *in) { i.Port = aws.Int32(65536) }),
		"UnknownProtocol": creating("ValidationError", "A protocol is one of the enum.", createDoc,
			func(i *in) { i.Protocol = "SCTP" }),
		"IntervalTooShort": creating("ValidationError", "The interval is 5-300 seconds.", createDoc,
			func(i *in) { i.HealthCheckIntervalSeconds = aws.Int32(4) }),
		"IntervalTooLong": creating("ValidationError", "The interval is 5-300 seconds.", createDoc,
			func(i *in) { i.HealthCheckIntervalSeconds = aws.Int32(301) }),
		"TimeoutTooLong": creating("ValidationError", "The timeout is 2-120 seconds.", createDoc,
			func(i *in) { i.HealthCheckTimeoutSeconds = aws.Int32(121) }),
		"TimeoutLongerThanInterval": creating("ValidationError", "The timeout must not be longer than the interval.",
			"aws/aws-cdk#26031, getmoto/moto", func(i *in) {
				i.HealthCheckTimeoutSeconds, i.HealthCheckIntervalSeconds = aws.Int32(11), aws.Int32(10)
			}),
		"ThresholdTooLow": creating("ValidationError", "A threshold is 2-10.", createDoc,
			func(i *in) { i.HealthyThresholdCount = aws.Int32(1) }),
		"ThresholdTooHigh": creating("ValidationError", "A threshold is 2-10.", createDoc,
			func(i *in) { i.UnhealthyThresholdCount = aws.Int32(11) }),
		"HealthCheckOverUDP": creating("InvalidConfigurationRequest", "Health checks use TCP, HTTP or HTTPS.", createDoc,
			func(i *in) { i.HealthCheckProtocol = types.ProtocolEnumUdp }),
		"HealthCheckDisabled": creating("InvalidConfigurationRequest", "Health checks are always enabled for instance, ip and alb.",
			createDoc, func(i *in) { i.HealthCheckEnabled = aws.Bool(false) }),
		"PathWithTCP": creating("InvalidConfigurationRequest", "A path is for HTTP and HTTPS health checks.", createDoc,
			func(i *in) { i.HealthCheckPath = aws.String("/") }),
		"MatcherWithTCP": creating("InvalidConfigurationRequest", "A matcher is for HTTP and HTTPS health checks.",
			"awsdocs/aws-cloudformation-user-guide#186", func(i *in) { i.Matcher = &types.Matcher{HttpCode: aws.String("200")} }),
		"MatcherOutOfRange": creating("ValidationError", "A matcher's codes are 200-599.", createDoc, func(i *in) {
			i.HealthCheckProtocol, i.Matcher = types.ProtocolEnumHttp, &types.Matcher{HttpCode: aws.String("199-200")}
		}),
		"HealthCheckPort": creating("ValidationError", "The health check port is a number or traffic-port.", createDoc,
			func(i *in) { i.HealthCheckPort = aws.String("http") }),
		"ProtocolVersion": creating("InvalidConfigurationRequest", "A protocol version is for HTTP and HTTPS groups.", createDoc,
			func(i *in) { i.ProtocolVersion = aws.String("HTTP2") }),
		"IPv6ForQUIC": creating("InvalidConfigurationRequest", "IPv6 is not for QUIC groups.", "facts/aws.md §1.7",
			func(i *in) {
				i.Protocol, i.IpAddressType = types.ProtocolEnumQuic, types.TargetGroupIpAddressTypeEnumIpv6
			}),
		"ReservedTag": creating("ValidationError", "Tag keys must not begin with aws:.", "APIReference/API_Tag.html",
			func(i *in) { i.Tags = []types.Tag{{Key: aws.String("aws:x"), Value: aws.String("y")}} }),
		"DuplicateTag": creating("DuplicateTagKeys", "A tag key may be given once.", "APIReference/API_AddTags.html", func(i *in) {
			i.Tags = []types.Tag{{Key: aws.String("a")}, {Key: aws.String("a")}}
		}),
		"TooManyTags": creating("TooManyTags", "A resource has at most 50 tags.", "facts/aws.md §1.9", func(i *in) {
			for n := range 51 {
				i.Tags = append(i.Tags, types.Tag{Key: aws.String(fmt.Sprint(n))})
			}
		}),
	})
}

func TestTargetGroupRules(t *testing.T) {
	t.Parallel()
	run(t, map[string]rule{
		"Defaults": {"What is not given has AWS's default.", createDoc, func(b *bench) {
			out, err := b.create(nil)
			b.ok(err)
			got := out.TargetGroups[0]
			want := types.TargetGroup{
				TargetGroupArn: got.TargetGroupArn, TargetGroupName: aws.String("web"), Protocol: "TCP", Port: aws.Int32(80),
				VpcId: aws.String(vpc), TargetType: "instance", IpAddressType: "ipv4", LoadBalancerArns: []string{},
				HealthCheckEnabled: aws.Bool(true), HealthCheckProtocol: "TCP", HealthCheckPort: aws.String("traffic-port"),
				HealthCheckIntervalSeconds: aws.Int32(30), HealthCheckTimeoutSeconds: aws.Int32(10),
				HealthyThresholdCount: aws.Int32(5), UnhealthyThresholdCount: aws.Int32(2),
			}
			diff(b.t, want, got)
		}},
		"DefaultsOverHTTP": {"HTTP checks have a path, a matcher and a timeout of 6 seconds.", createDoc, func(b *bench) {
			out, err := b.create(func(i *elbv2.CreateTargetGroupInput) { i.HealthCheckProtocol = types.ProtocolEnumHttp })
			b.ok(err)
			g := out.TargetGroups[0]
			diff(b.t, []string{"/", "200-399", "6"},
				[]string{*g.HealthCheckPath, *g.Matcher.HttpCode, fmt.Sprint(*g.HealthCheckTimeoutSeconds)})
		}},
		"CreateTwiceSame": {"A create with the same settings succeeds and makes nothing new.", createDoc, func(b *bench) {
			one, err := b.create(nil)
			b.ok(err)
			two, err := b.create(nil)
			b.ok(err)
			diff(b.t, one.TargetGroups, two.TargetGroups)
		}},
		"CreateTwiceDifferent": {"A name is unique per account and region.", createDoc, func(b *bench) {
			_, err := b.create(nil)
			b.ok(err)
			_, err = b.create(func(i *elbv2.CreateTargetGroupInput) { i.Port = aws.Int32(81) })
			b.refused(err, "DuplicateTargetGroupName")
		}},
		"SameNameElsewhere": {"Regions share nothing.", createDoc, func(b *bench) {
			_, err := b.create(nil)
			b.ok(err)
			b.sim.SeedVPC(awssim.DefaultAccount, "eu-west-1", vpc)
			b.as(b.sim.Config("eu-west-1"))
			out, err := b.create(func(i *elbv2.CreateTargetGroupInput) { i.Port = aws.Int32(81) })
			b.ok(err)
			if arn := *out.TargetGroups[0].TargetGroupArn; !strings.HasPrefix(arn, "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/") {
				b.t.Errorf("ARN %s", arn)
			}
		}},
		"DescribeUnknownName": {"One unknown name fails the whole call.", "APIReference/API_DescribeTargetGroups.html", func(b *bench) {
			b.group("a")
			_, err := b.elb.DescribeTargetGroups(b.ctx, &elbv2.DescribeTargetGroupsInput{Names: []string{"a", "b"}})
			b.refused(err, "TargetGroupNotFound")
		}},
		"DescribeUnknownARN": {"One unknown ARN fails the whole call.", "APIReference/API_DescribeTargetGroups.html", func(b *bench) {
			a := b.group("a")
			other := strings.Replace(a, "/a/", "/b/", 1)
			_, err := b.elb.DescribeTargetGroups(b.ctx, &elbv2.DescribeTargetGroupsInput{TargetGroupArns: []string{a, other}})
			b.refused(err, "TargetGroupNotFound")
		}},
		"DescribeMalformedARN": {"A malformed ARN is a validation error.", "aws-load-balancer-controller: isELBV2TargetGroupARNInvalidError", func(b *bench) {
			_, err := b.elb.DescribeTargetGroups(b.ctx, &elbv2.DescribeTargetGroupsInput{TargetGroupArns: []string{"web"}})
			b.refused(err, "ValidationError")
		}},
		"Pages": {"A page has at most PageSize groups, and a marker if there are more.", "APIReference/API_DescribeTargetGroups.html", func(b *bench) {
			for i := range 5 {
				b.group(fmt.Sprintf("g%d", i))
			}
			var pages [][]string
			p := elbv2.NewDescribeTargetGroupsPaginator(b.elb, &elbv2.DescribeTargetGroupsInput{PageSize: aws.Int32(2)})
			for p.HasMorePages() {
				out, err := p.NextPage(b.ctx)
				b.ok(err)
				var names []string
				for _, g := range out.TargetGroups {
					names = append(names, *g.TargetGroupName)
				}
				pages = append(pages, names)
			}
			diff(b.t, [][]string{{"g0", "g1"}, {"g2", "g3"}, {"g4"}}, pages)
		}},
		"PageSize": {"A page size is 1-400.", "APIReference/API_DescribeTargetGroups.html", func(b *bench) {
			_, err := b.elb.DescribeTargetGroups(b.ctx, &elbv2.DescribeTargetGroupsInput{PageSize: aws.Int32(401)})
			b.refused(err, "ValidationError")
		}},
		"ByLoadBalancer": {"Groups can be asked for by the load balancer that uses them.", "APIReference/API_DescribeTargetGroups.html", func(b *bench) {
			b.group("idle")
			lb := "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/lb/0123456789abcdef"
			b.attach(b.group("web"), awssim.Listener{LoadBalancerARN: lb, Zones: []string{zoneA}})
			out, err := b.elb.DescribeTargetGroups(b.ctx, &elbv2.DescribeTargetGroupsInput{LoadBalancerArn: &lb})
			b.ok(err)
			if len(out.TargetGroups) != 1 || !slices.Equal(out.TargetGroups[0].LoadBalancerArns, []string{lb}) {
				b.t.Errorf("got %+v", out.TargetGroups)
			}
		}},
		"Modify": {"Modify changes what it is given of the health check.", "APIReference/API_ModifyTargetGroup.html", func(b *bench) {
			arn := b.group("web")
			out, err := b.elb.ModifyTargetGroup(b.ctx, &elbv2.ModifyTargetGroupInput{
				TargetGroupArn: &arn, HealthyThresholdCount: aws.Int32(3), HealthCheckPort: aws.String("8080"),
			})
			b.ok(err)
			g := out.TargetGroups[0]
			diff(b.t, []int32{3, 2, 30}, []int32{*g.HealthyThresholdCount, *g.UnhealthyThresholdCount, *g.HealthCheckIntervalSeconds})
			diff(b.t, "8080", *g.HealthCheckPort)
		}},
		"DeleteInUse": {"A group that a listener uses cannot be deleted.", "APIReference/API_DeleteTargetGroup.html", func(b *bench) {
			arn := b.group("web")
			detach := b.attach(arn, awssim.Listener{Zones: []string{zoneA}})
			_, err := b.elb.DeleteTargetGroup(b.ctx, &elbv2.DeleteTargetGroupInput{TargetGroupArn: &arn})
			b.refused(err, "ResourceInUse")
			detach()
			_, err = b.elb.DeleteTargetGroup(b.ctx, &elbv2.DeleteTargetGroupInput{TargetGroupArn: &arn})
			b.ok(err)
		}},
		"DeleteAbsent": {"Deleting twice succeeds: ResourceInUse is the only error of the call.", "APIReference/API_DeleteTargetGroup.html", func(b *bench) {
			arn := b.group("web")
			for range 2 {
				_, err := b.elb.DeleteTargetGroup(b.ctx, &elbv2.DeleteTargetGroupInput{TargetGroupArn: &arn})
				b.ok(err)
			}
		}},
		"OneLoadBalancer": {"A group is used by one load balancer.", "APIReference/API_TargetGroup.html", func(b *bench) {
			arn := b.used("web")
			_, err := b.sim.AttachListener(arn, awssim.Listener{LoadBalancerARN: "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/other/0123456789abcdef"})
			if err == nil || !strings.Contains(err.Error(), "TargetGroupAssociationLimit") {
				b.t.Errorf("error %v, want TargetGroupAssociationLimit", err)
			}
		}},
		"Tags": {"Tags can be added, changed, removed and listed.", "APIReference/API_AddTags.html", func(b *bench) {
			arn := b.group("web")
			add := func(k, v string) {
				_, err := b.elb.AddTags(b.ctx, &elbv2.AddTagsInput{ResourceArns: []string{arn}, Tags: []types.Tag{{Key: &k, Value: &v}}})
				b.ok(err)
			}
			add("a", "1")
			add("b", "2")
			add("a", "3")
			_, err := b.elb.RemoveTags(b.ctx, &elbv2.RemoveTagsInput{ResourceArns: []string{arn}, TagKeys: []string{"b", "absent"}})
			b.ok(err)
			out, err := b.elb.DescribeTags(b.ctx, &elbv2.DescribeTagsInput{ResourceArns: []string{arn}})
			b.ok(err)
			diff(b.t, []types.TagDescription{{ResourceArn: &arn, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("3")}}}}, out.TagDescriptions)
		}},
		"DescribeTagsOf21": {"DescribeTags takes at most 20 resources.", "APIReference/API_DescribeTags.html", func(b *bench) {
			arns := slices.Repeat([]string{b.group("web")}, 21)
			_, err := b.elb.DescribeTags(b.ctx, &elbv2.DescribeTagsInput{ResourceArns: arns})
			b.refused(err, "ValidationError")
		}},
		"TagsOfNothing": {"Tags of a group that does not exist are not found.", "APIReference/API_DescribeTags.html", func(b *bench) {
			arn := b.group("web")
			b.sim.DeleteTargetGroup(arn)
			_, err := b.elb.DescribeTags(b.ctx, &elbv2.DescribeTagsInput{ResourceArns: []string{arn}})
			b.refused(err, "TargetGroupNotFound")
		}},
		"OtherAccount": {"A resource of another account may not be used.", "IAM reference_policies_evaluation-logic-cross-account", func(b *bench) {
			arn := b.group("web")
			k := awssim.AccessKey{Account: "210987654321", ID: "AKIAOTHER", Secret: "secret", User: "other"}
			b.sim.AddKey(k)
			b.as(b.sim.ConfigFor(region, k))
			b.refused(b.register(arn, "i-0123456789abcdef0"), "AccessDenied")
		}},
		"FreshGroup": {"A new group may not be found at first.", "facts/aws.md §1.10, 2", func(b *bench) {
			slow := steady
			slow.GroupLag = awssim.Span{Min: 2 * time.Second, Max: 2 * time.Second}
			b = newBench(b.t, awssim.Options{Profile: slow})
			out, err := b.create(nil)
			b.ok(err)
			arn := *out.TargetGroups[0].TargetGroupArn
			b.refused(b.setAttribute(arn, "stickiness.enabled", "true"), "TargetGroupNotFound")
			b.clock.Advance(2 * time.Second)
			b.ok(b.setAttribute(arn, "stickiness.enabled", "true"))
		}},
	})
}

func TestTargetGroupAttributeRules(t *testing.T) {
	t.Parallel()
	const doc = "APIReference/API_TargetGroupAttribute.html"
	setting := func(code, protocol, key, value, reason, source string) rule {
		return rule{reason, source, func(b *bench) {
			arn, err := b.sim.SeedTargetGroup(awssim.TargetGroupSeed{Name: "g", Protocol: protocol, Port: 80, VPC: vpc})
			b.ok(err)
			err = b.setAttribute(arn, key, value)
			if code == "" {
				b.ok(err)
				return
			}
			b.refused(err, code)
		}}
	}
	run(t, map[string]rule{
		"Defaults": {"A TCP group of instances has these 13.", doc, func(b *bench) {
			arn := b.group("web")
			out, err := b.elb.DescribeTargetGroupAttributes(b.ctx, &elbv2.DescribeTargetGroupAttributesInput{TargetGroupArn: &arn})
			b.ok(err)
			got := map[string]string{}
			for _, a := range out.Attributes {
				got[*a.Key] = *a.Value
			}
			diff(b.t, map[string]string{
				"deregistration_delay.timeout_seconds":                                           "300",
				"deregistration_delay.connection_termination.enabled":                            "false",
				"load_balancing.cross_zone.enabled":                                              "use_load_balancer_configuration",
				"preserve_client_ip.enabled":                                                     "true",
				"proxy_protocol_v2.enabled":                                                      "false",
				"stickiness.enabled":                                                             "false",
				"stickiness.type":                                                                "source_ip",
				"target_group_health.dns_failover.minimum_healthy_targets.count":                 "1",
				"target_group_health.dns_failover.minimum_healthy_targets.percentage":            "off",
				"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count":      "1",
				"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
				"target_health_state.unhealthy.connection_termination.enabled":                   "true",
				"target_health_state.unhealthy.draining_interval_seconds":                        "0",
			}, got)
		}},
		"AllOrNothing": {"A refused call changes no attribute.", doc, func(b *bench) {
			arn := b.group("web")
			_, err := b.elb.ModifyTargetGroupAttributes(b.ctx, &elbv2.ModifyTargetGroupAttributesInput{
				TargetGroupArn: &arn, Attributes: []types.TargetGroupAttribute{
					{Key: aws.String("stickiness.enabled"), Value: aws.String("true")},
					{Key: aws.String("stickiness.typo"), Value: aws.String("true")},
				},
			})
			b.refused(err, "ValidationError")
			if v := b.sim.TargetGroups(awssim.DefaultAccount, region)[0].Attributes["stickiness.enabled"]; v != "false" {
				b.t.Errorf("stickiness.enabled %s, want false", v)
			}
		}},
		"Accepted": setting("", "TCP", "deregistration_delay.timeout_seconds", "3600", "The delay is 0-3600 seconds.", doc),
		"DelayTooLong": setting("ValidationError", "TCP", "deregistration_delay.timeout_seconds", "3601",
			"The delay is 0-3600 seconds.", doc),
		"UnknownKey": setting("ValidationError", "TCP", "typo.enabled", "true", "An unknown key is not recognized.",
			"hashicorp/terraform-provider-aws#19953"),
		"SlowStart": setting("InvalidConfigurationRequest", "TCP", "slow_start.duration_seconds", "30",
			"Slow start is for Application Load Balancers.", doc),
		"CookieStickiness": setting("InvalidConfigurationRequest", "TCP", "stickiness.type", "lb_cookie",
			"Stickiness of a Network Load Balancer is by source address.", "hashicorp/terraform-provider-aws#9093"),
		"BoolValue": setting("ValidationError", "TCP", "proxy_protocol_v2.enabled", "yes", "The value is true or false.", doc),
		"PreserveClientIPOfUDP": setting("InvalidConfigurationRequest", "UDP", "preserve_client_ip.enabled", "false",
			"Client IP preservation cannot be disabled for UDP.", doc),
		"TerminationOfUDP": setting("InvalidConfigurationRequest", "UDP", "target_health_state.unhealthy.connection_termination.enabled", "true",
			"This attribute cannot be enabled for UDP and TCP_UDP groups.", doc),
		"DrainingIntervalAlone": setting("InvalidConfigurationRequest", "TCP", "target_health_state.unhealthy.draining_interval_seconds", "10",
			"The interval needs connection termination to be false.", doc),
		"RoutingAboveFailover": setting("InvalidConfigurationRequest", "TCP",
			"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "2",
			"The routing threshold must not exceed the DNS failover threshold.", "network/target-group-attributes (target group health)"),
		"CrossZoneTypo": setting("ValidationError", "TCP", "load_balancing.cross_zone.enabled", "on",
			"The value is true, false or use_load_balancer_configuration.", doc),
	})
}

func TestWireRules(t *testing.T) {
	t.Parallel()
	const doc = "APIReference/CommonErrors.html"
	run(t, map[string]rule{
		"UnknownAction": {"An action that does not exist is invalid.", doc, func(b *bench) {
			_, err := b.elb.DescribeTrustStores(b.ctx, &elbv2.DescribeTrustStoresInput{})
			b.refused(err, "InvalidAction")
		}},
		"NoSignature": {"A call without a signature is refused with 403.", doc, func(b *bench) {
			form := strings.NewReader("Action=DescribeTargetGroups&Version=2015-12-01")
			req, err := http.NewRequestWithContext(b.ctx, http.MethodPost, b.sim.URL(), form)
			b.ok(err)
			res, err := http.DefaultClient.Do(req)
			b.ok(err)
			defer res.Body.Close()
			if res.StatusCode != http.StatusForbidden {
				b.t.Errorf("status %d, want 403", res.StatusCode)
			}
		}},
		"MissingParameter": {"A required parameter has to be there.", doc, func(b *bench) {
			_, err := b.elb.RegisterTargets(b.ctx, &elbv2.RegisterTargetsInput{
				TargetGroupArn: aws.String(b.group("web")), Targets: []types.TargetDescription{},
			})
			b.refused(err, "ValidationError")
		}},
	})
}

func diff(t *testing.T, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got, ignoreUnexported); d != "" {
		t.Errorf("-want, +got:\n%s", d)
	}
}
