package awssim_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// ignoreUnexported lets cmp look at the SDK's structures, which hide a marker.
var ignoreUnexported = cmpopts.IgnoreUnexported(
	types.TargetGroup{}, types.TagDescription{}, types.Tag{}, types.Matcher{}, types.LoadBalancer{}, types.LoadBalancerState{},
	types.AvailabilityZone{}, types.LoadBalancerAddress{}, types.Listener{}, types.Action{}, types.ForwardActionConfig{},
	types.TargetGroupTuple{}, types.TargetGroupStickinessConfig{}, types.Certificate{}, types.Rule{}, types.RuleCondition{},
	types.SourceIpConditionConfig{}, types.ListenerAttribute{}, types.SslPolicy{}, types.ZonalCapacityReservationState{},
	types.CapacityReservationStatus{}, types.MinimumLoadBalancerCapacity{},
)

func TestRegisterTargetsRules(t *testing.T) {
	t.Parallel()
	const doc = "APIReference/API_RegisterTargets.html"
	run(t, map[string]rule{
		"NotRunning": {"An instance must be running, and the message names those that are not.",
			"kubernetes-sigs/cluster-api-provider-aws#5037", func(b *bench) {
				arn, ids := b.used("web"), b.instances(zoneA, 3)
				b.sim.SetInstanceState(ids[1], awssim.Pending)
				err := b.register(arn, ids...)
				b.refused(err, "InvalidTarget")
				want := fmt.Sprintf("The following targets are not in a running state and cannot be registered: '%s'", ids[1])
				if !strings.Contains(err.Error(), want) {
					b.t.Errorf("error %q, want %q in it", err, want)
				}
				diff(b.t, []string{}, b.health(arn))
			}},
		"UnknownInstance": {"An instance must exist.", "SDK: InvalidTargetException", func(b *bench) {
			b.refused(b.register(b.used("web"), "i-0123456789abcdef0"), "InvalidTarget")
		}},
		"MalformedInstance": {"A target of an instance group has an instance id.", "aws-load-balancer-controller#328, #3668", func(b *bench) {
			err := b.register(b.used("web"), b.instances(zoneA, 1)[0], "10.19.173.98")
			b.refused(err, "ValidationError")
			if !strings.Contains(err.Error(), "Instance ID '10.19.173.98' is not valid") {
				b.t.Errorf("error %q", err)
			}
		}},
		"OldInstanceType": {"Some old instance types cannot be registered by id.", "aws-load-balancer-controller#3508", func(b *bench) {
			id := "i-0123456789abcdef0"
			b.sim.SeedInstance(awssim.Instance{ID: id, Zone: zoneA, VPC: vpc, Type: "m3.large"})
			err := b.register(b.used("web"), id)
			b.refused(err, "InvalidTarget")
			if !strings.Contains(err.Error(), "Targets {"+id+"} are not supported") {
				b.t.Errorf("error %q", err)
			}
		}},
		"OtherVPC": {"An instance must be in the group's VPC.", "SDK: InvalidTargetException", func(b *bench) {
			id := "i-0123456789abcdef0"
			b.sim.SeedInstance(awssim.Instance{ID: id, Zone: zoneA, VPC: "vpc-0aaaaaaaaaaaaaaa0"})
			b.refused(b.register(b.used("web"), id), "InvalidTarget")
		}},
		"ZoneOfInstance": {"A zone is not supported for target type instance.", "APIReference/API_TargetDescription.html", func(b *bench) {
			arn := b.used("web")
			_, err := b.elb.RegisterTargets(b.ctx, &elbv2.RegisterTargetsInput{TargetGroupArn: &arn, Targets: []types.TargetDescription{
				{Id: &b.instances(zoneA, 1)[0], AvailabilityZone: aws.String(zoneA)},
			}})
			b.refused(err, "ValidationError")
		}},
		"TwoPorts": {"An instance can be registered with several ports.", doc, func(b *bench) {
			arn, id := b.used("web"), b.instances(zoneA, 1)[0]
			_, err := b.elb.RegisterTargets(b.ctx, &elbv2.RegisterTargetsInput{TargetGroupArn: &arn, Targets: []types.TargetDescription{
				{Id: &id, Port: aws.Int32(8080)}, {Id: &id},
			}})
			b.ok(err)
			diff(b.t, []string{
				id + ":80 initial Elb.RegistrationInProgress", id + ":8080 initial Elb.RegistrationInProgress",
			}, b.health(arn))
		}},
		"AddressInVPC": {"The zone of an address in the VPC is detected, and cannot be overridden.",
			"APIReference/API_TargetDescription.html, aws-load-balancer-controller#561", func(b *bench) {
				b.sim.SeedSubnet(awssim.Subnet{VPC: vpc, Zone: zoneA, CIDR: "10.0.0.0/24"})
				arn, err := b.sim.SeedTargetGroup(awssim.TargetGroupSeed{Name: "ip", Protocol: "TCP", Port: 80, VPC: vpc, Type: "ip"})
				b.ok(err)
				b.ok(b.register(arn, "10.0.0.7"))
				_, err = b.elb.RegisterTargets(b.ctx, &elbv2.RegisterTargetsInput{TargetGroupArn: &arn, Targets: []types.TargetDescription{
					{Id: aws.String("10.0.0.8"), AvailabilityZone: aws.String("all")},
				}})
				b.refused(err, "ValidationError")
				diff(b.t, zoneA, b.sim.Targets(arn)[0].Zone)
			}},
		"AddressOutsideVPC": {"An address outside the VPC needs a zone.", "aws-load-balancer-controller#3714", func(b *bench) {
			arn, err := b.sim.SeedTargetGroup(awssim.TargetGroupSeed{Name: "ip", Protocol: "TCP", Port: 80, VPC: vpc, Type: "ip"})
			b.ok(err)
			b.refused(b.register(arn, "10.9.0.7"), "ValidationError")
		}},
		"PublicAddress": {"A publicly routable address is refused.", createDoc, func(b *bench) {
			arn, err := b.sim.SeedTargetGroup(awssim.TargetGroupSeed{Name: "ip", Protocol: "TCP", Port: 80, VPC: vpc, Type: "ip"})
			b.ok(err)
			b.refused(b.register(arn, "8.8.8.8"), "ValidationError")
		}},
		"UnknownGroup": {"The group must exist.", doc, func(b *bench) {
			arn := b.used("web")
			b.sim.DeleteTargetGroup(arn)
			b.refused(b.register(arn, b.instances(zoneA, 1)...), "TargetGroupNotFound")
		}},
		"DeregisterAbsent": {"A target that is not registered is deregistered successfully.",
			"APIReference/API_DeregisterTargets.html", func(b *bench) {
				b.ok(b.deregister(b.used("web"), "i-0123456789abcdef0"))
			}},
		"DeregisterNeedsPort": {"With a port override, id and port must be given.", "APIReference/API_DeregisterTargets.html", func(b *bench) {
			arn, id := b.used("web"), b.instances(zoneA, 1)[0]
			b.ok(b.sim.PutTarget(arn, id, 8080))
			b.ok(b.deregister(arn, id))
			diff(b.t, []string{id + ":8080 initial Elb.RegistrationInProgress"}, b.health(arn))
		}},
		"GroupQuota": {"A group has at most 1,000 targets.", "network/load-balancer-limits.html", func(b *bench) {
			b = newBench(b.t, awssim.Options{Quotas: awssim.Quotas{TargetsPerGroup: 2}})
			arn, ids := b.used("web"), b.instances(zoneA, 3)
			b.ok(b.register(arn, ids[:2]...))
			b.refused(b.register(arn, ids[2]), "TooManyTargets")
			b.ok(b.register(arn, ids[0]))
		}},
		"ZoneQuota": {"A load balancer has at most 500 targets in a zone, over all its groups.", "network/load-balancer-limits.html", func(b *bench) {
			b = newBench(b.t, awssim.Options{Quotas: awssim.Quotas{TargetsPerZone: 2}})
			lb := awssim.Listener{
				LoadBalancerARN: "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/lb/0123456789abcdef",
				Zones:           []string{zoneA, zoneB},
			}
			one, two, ids := b.group("one"), b.group("two"), b.instances(zoneA, 3)
			b.attach(one, lb)
			b.attach(two, lb)
			b.ok(b.register(one, ids[:2]...))
			b.refused(b.register(two, ids[2]), "TooManyTargets")
			b.ok(b.register(two, b.instances(zoneB, 1)...))
		}},
		"CrossZoneQuota": {"With cross-zone load balancing the 500 are for the load balancer.", "network/load-balancer-limits.html", func(b *bench) {
			b = newBench(b.t, awssim.Options{Quotas: awssim.Quotas{TargetsPerZone: 2}})
			arn := b.group("web")
			b.attach(arn, awssim.Listener{Zones: []string{zoneA, zoneB}, CrossZone: true})
			b.ok(b.register(arn, b.instances(zoneA, 2)...))
			b.refused(b.register(arn, b.instances(zoneB, 1)...), "TooManyTargets")
		}},
		"QUICServerID": {"A QUIC target needs a server id, and other targets must have none.", "APIReference/API_TargetDescription.html", func(b *bench) {
			quic, err := b.sim.SeedTargetGroup(awssim.TargetGroupSeed{Name: "quic", Protocol: "QUIC", Port: 443, VPC: vpc})
			b.ok(err)
			b.refused(b.register(quic, b.instances(zoneA, 1)...), "ValidationError")
			tcp := b.used("web")
			_, err = b.elb.RegisterTargets(b.ctx, &elbv2.RegisterTargetsInput{TargetGroupArn: &tcp, Targets: []types.TargetDescription{
				{Id: &b.instances(zoneA, 1)[0], QuicServerId: aws.String("0x0123456789abcdef")},
			}})
			b.refused(err, "ValidationError")
		}},
	})
}

// life is a step of a target's life: what happens, and what AWS says then.
type life struct {
	do    func(b *bench, arn, id string)
	after time.Duration
	want  string
}

func TestLifeOfTarget(t *testing.T) {
	t.Parallel()
	stop := func(b *bench, _, id string) { b.sim.SetInstanceState(id, awssim.Stopped) }
	start := func(b *bench, _, id string) { b.sim.SetInstanceState(id, awssim.Running) }
	down := func(b *bench, _, id string) { b.sim.SetAccepting(id, 80, false) }
	up := func(b *bench, _, id string) { b.sim.SetAccepting(id, 80, true) }
	deregister := func(b *bench, arn, id string) { b.ok(b.deregister(arn, id)) }
	register := func(b *bench, arn, id string) { b.ok(b.register(arn, id)) }
	// In the steady profile registration takes 100 s; 5 probes at 30 s follow,
	// the first at once.
	born := []life{{want: "initial Elb.RegistrationInProgress"}}
	healthy := slices.Concat(born, []life{{after: 220 * time.Second, want: "healthy "}})
	cases := map[string]struct {
		reason string
		// source as in rule.
		source string
		steps  []life
	}{
		"BecomesHealthy": {
			"A target is registered, then checked, then healthy after five good probes.", healthDoc,
			append(born[:1:1],
				life{after: 99 * time.Second, want: "initial Elb.RegistrationInProgress"},
				life{after: time.Second, want: "initial Elb.InitialHealthChecking"},
				life{after: 119 * time.Second, want: "initial Elb.InitialHealthChecking"},
				life{after: time.Second, want: "healthy "},
				life{after: 24 * time.Hour, want: "healthy "}),
		},
		"NothingListens": {
			"Two failed probes make a target unhealthy.", healthDoc,
			append(born[:1:1],
				life{do: down, after: 129 * time.Second, want: "initial Elb.InitialHealthChecking"},
				life{after: time.Second, want: "unhealthy Target.FailedHealthChecks"},
				life{do: up, after: 149 * time.Second, want: "unhealthy Target.FailedHealthChecks"},
				life{after: time.Second, want: "healthy "}),
		},
		"Outage": {
			"One failed probe does not make a healthy target unhealthy, and two in a row do.", healthDoc,
			append(healthy[:2:2],
				life{do: down, after: 30 * time.Second, want: "healthy "},
				life{do: up, after: 30 * time.Second, want: "healthy "},
				life{do: down, after: 30 * time.Second, want: "healthy "},
				life{after: 30 * time.Second, want: "unhealthy Target.FailedHealthChecks"}),
		},
		"TimesOut": {
			"A probe without an answer fails, too, and has no reason of its own.", reasonDoc,
			append(healthy[:2:2], life{
				do:    func(b *bench, _, id string) { b.sim.SetProbe(id, 80, awssim.TimesOut) },
				after: time.Minute, want: "unhealthy Target.FailedHealthChecks",
			}),
		},
		"Drains": {
			"A deregistered target drains for the deregistration delay, and then is gone.", "network/edit-target-group-attributes.html",
			append(healthy[:2:2],
				life{do: deregister, want: "draining Target.DeregistrationInProgress"},
				life{do: deregister, after: 299 * time.Second, want: "draining Target.DeregistrationInProgress"},
				life{after: time.Second, want: "unused Target.NotRegistered"}),
		},
		"ComesBack": {
			"A draining target that is registered again starts at initial.", "design §8",
			append(healthy[:2:2],
				life{do: deregister, after: time.Minute, want: "draining Target.DeregistrationInProgress"},
				life{do: register, want: "initial Elb.RegistrationInProgress"},
				life{after: 220 * time.Second, want: "healthy "},
				life{after: time.Hour, want: "healthy "}),
		},
		"RegisteredTwice": {
			"Registering a registered target changes nothing.", "APIReference/API_RegisterTargets.html",
			append(healthy[:2:2], life{do: register, want: "healthy "}),
		},
		"Stopped": {
			"A stopped instance is unused; a started one begins anew.", healthDoc,
			append(healthy[:2:2],
				life{do: stop, want: "unused Target.InvalidState"},
				life{do: start, want: "initial Elb.RegistrationInProgress"}),
		},
		"Terminated": {
			"A terminated instance is unused, and after a while deregistered.", "facts/aws.md §1.8",
			append(healthy[:2:2],
				life{
					do:   func(b *bench, _, id string) { b.sim.SetInstanceState(id, awssim.Terminated) },
					want: "unused Target.InvalidState",
				},
				life{after: time.Minute, want: "unused Target.NotRegistered"}),
		},
		"Dropped": {
			"Somebody else can take a target away.", "none: a control of the simulator",
			append(healthy[:2:2], life{
				do: func(b *bench, arn, id string) { b.sim.DropTarget(arn, id, 80) }, want: "unused Target.NotRegistered",
			}),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, awssim.Options{})
			arn, id := b.used("web"), b.instances(zoneA, 1)[0]
			register(b, arn, id)
			for i, step := range tc.steps {
				if step.do != nil {
					step.do(b, arn, id)
				}
				b.clock.Advance(step.after)
				want := []string{id + ":80 " + step.want}
				if got := b.health(arn, targets(id)...); got[0] != want[0] {
					t.Fatalf("step %d: %s, want %s; %s (%s)", i, got[0], want[0], tc.reason, tc.source)
				}
			}
		})
	}
}

func TestHealthRules(t *testing.T) {
	t.Parallel()
	run(t, map[string]rule{
		"NotInUse": {"Targets of a group that no listener uses are unused.", healthDoc, func(b *bench) {
			arn, id := b.group("web"), b.instances(zoneA, 1)[0]
			b.ok(b.register(arn, id))
			b.clock.Advance(time.Hour)
			diff(b.t, []string{id + ":80 unused Target.NotInUse"}, b.health(arn))
			detach := b.attach(arn, awssim.Listener{Zones: []string{zoneA}})
			diff(b.t, []string{id + ":80 initial Elb.RegistrationInProgress"}, b.health(arn))
			detach()
			diff(b.t, []string{id + ":80 unused Target.NotInUse"}, b.health(arn))
		}},
		"NotInUseInEveryZone": {"A target for all zones is unused as well while no listener uses its group.", healthDoc, func(b *bench) {
			arn, err := b.sim.SeedTargetGroup(awssim.TargetGroupSeed{Name: "ip", Protocol: "TCP", Port: 80, VPC: vpc, Type: "ip"})
			b.ok(err)
			_, err = b.elb.RegisterTargets(b.ctx, &elbv2.RegisterTargetsInput{TargetGroupArn: &arn, Targets: []types.TargetDescription{
				{Id: aws.String("10.9.0.7"), AvailabilityZone: aws.String("all")},
			}})
			b.ok(err)
			diff(b.t, []string{"10.9.0.7:80 unused Target.NotInUse"}, b.health(arn))
		}},
		"ZoneNotEnabled": {"Targets of a zone that the load balancer lacks are unused.", healthDoc, func(b *bench) {
			arn, id := b.used("web"), b.instances(zoneB, 1)[0]
			b.ok(b.register(arn, id))
			diff(b.t, []string{id + ":80 unused Target.NotInUse"}, b.health(arn))
		}},
		"HealthIsNotKnown": {
			"An internal error hides what checks find; what AWS knows without them it tells, and traffic goes on.",
			"APIReference/API_TargetHealth.html (unavailable, Elb.InternalError: Network Load Balancers only); what goes on is assumed", func(b *bench) {
				arn, ids := b.used("web"), b.instances(zoneA, 3)
				b.ok(b.register(arn, ids[0], ids[1]))
				b.sim.SetInstanceState(ids[1], awssim.Stopped)
				b.clock.Advance(time.Hour)
				b.ok(b.register(arn, ids[2]))
				restore := b.sim.LoseHealth(arn)
				diff(b.t, []string{
					ids[0] + ":80 unavailable Elb.InternalError", ids[1] + ":80 unused Target.InvalidState",
					ids[2] + ":80 initial Elb.RegistrationInProgress",
				}, b.health(arn))
				if is, _ := b.sim.Target(arn, ids[0], 80); is.State != awssim.Healthy {
					b.t.Errorf("it is %s, and only its readers do not know", is.State)
				}
				b.sim.SetAccepting(ids[0], 80, false)
				b.clock.Advance(time.Hour)
				diff(b.t, []string{ids[0] + ":80 unavailable Elb.InternalError"}, b.health(arn, targets(ids[0])...))
				restore()
				diff(b.t, []string{ids[0] + ":80 unhealthy Target.FailedHealthChecks"}, b.health(arn, targets(ids[0])...))
			},
		},
		"HealthCheckPort": {"The health check's port is probed, not the target's.", createDoc, func(b *bench) {
			arn, id := b.used("web"), b.instances(zoneA, 1)[0]
			_, err := b.elb.ModifyTargetGroup(b.ctx, &elbv2.ModifyTargetGroupInput{TargetGroupArn: &arn, HealthCheckPort: aws.String("8080")})
			b.ok(err)
			b.sim.SetAccepting(id, 80, false)
			b.ok(b.register(arn, id))
			b.clock.Advance(220 * time.Second)
			diff(b.t, []string{id + ":80 healthy "}, b.health(arn))
		}},
		"WrongCode": {"An HTTP answer has to match, a TCP connection only to open.", healthDoc, func(b *bench) {
			arn, id := b.used("web"), b.instances(zoneA, 1)[0]
			b.sim.SetProbe(id, 80, awssim.AnswersWrong)
			b.ok(b.register(arn, id))
			b.clock.Advance(220 * time.Second)
			diff(b.t, []string{id + ":80 healthy "}, b.health(arn))
			_, err := b.elb.ModifyTargetGroup(b.ctx, &elbv2.ModifyTargetGroupInput{TargetGroupArn: &arn, HealthCheckProtocol: types.ProtocolEnumHttp})
			b.ok(err)
			b.clock.Advance(time.Minute)
			diff(b.t, []string{id + ":80 unhealthy Target.FailedHealthChecks"}, b.health(arn))
		}},
		"TellCauses": {"A reason may tell what a check met.", "APIReference/API_TargetHealth.html", func(b *bench) {
			b = newBench(b.t, awssim.Options{TellCauses: true})
			arn, ids := b.used("web"), b.instances(zoneA, 3)
			_, err := b.elb.ModifyTargetGroup(b.ctx, &elbv2.ModifyTargetGroupInput{TargetGroupArn: &arn, HealthCheckProtocol: types.ProtocolEnumHttp})
			b.ok(err)
			for i, p := range []awssim.Probe{awssim.Refuses, awssim.TimesOut, awssim.AnswersWrong} {
				b.sim.SetProbe(ids[i], 80, p)
			}
			b.ok(b.register(arn, ids...))
			b.clock.Advance(time.Hour)
			diff(b.t, []string{
				ids[0] + ":80 unhealthy Target.FailedHealthChecks", ids[1] + ":80 unhealthy Target.Timeout",
				ids[2] + ":80 unhealthy Target.ResponseCodeMismatch",
			}, b.health(arn))
		}},
		"UnhealthyDraining": {"Without connection termination an unhealthy target drains first.",
			"network/edit-target-group-attributes.html (unhealthy targets)", func(b *bench) {
				arn, id := b.used("web"), b.instances(zoneA, 1)[0]
				b.ok(b.setAttribute(arn, "target_health_state.unhealthy.connection_termination.enabled", "false"))
				b.ok(b.setAttribute(arn, "target_health_state.unhealthy.draining_interval_seconds", "60"))
				b.sim.SetAccepting(id, 80, false)
				b.ok(b.register(arn, id))
				b.clock.Advance(130 * time.Second)
				diff(b.t, []string{id + ":80 unhealthy.draining Target.FailedHealthChecks"}, b.health(arn))
				b.clock.Advance(time.Minute)
				diff(b.t, []string{id + ":80 unhealthy Target.FailedHealthChecks"}, b.health(arn))
			}},
		"ReadsLag": {"Health reads do not know the last writes for up to 30 seconds.", "design §8", func(b *bench) {
			lagging := steady
			lagging.HealthReadLag = awssim.Span{Min: 20 * time.Second, Max: 20 * time.Second}
			b = newBench(b.t, awssim.Options{Profile: lagging})
			arn, id := b.used("web"), b.instances(zoneA, 1)[0]
			b.ok(b.register(arn, id))
			diff(b.t, []string{}, b.health(arn))
			b.clock.Advance(20 * time.Second)
			diff(b.t, []string{id + ":80 initial Elb.RegistrationInProgress"}, b.health(arn))
			b.clock.Advance(200 * time.Second)
			b.ok(b.deregister(arn, id))
			diff(b.t, []string{id + ":80 healthy "}, b.health(arn))
			b.clock.Advance(20 * time.Second)
			diff(b.t, []string{id + ":80 draining Target.DeregistrationInProgress"}, b.health(arn))
		}},
		"ReadsLagBehindTheEnd": {"A target that is gone is still shown while reads lag.", "design §8", func(b *bench) {
			lagging := steady
			lagging.HealthReadLag = awssim.Span{Min: 20 * time.Second, Max: 20 * time.Second}
			b = newBench(b.t, awssim.Options{Profile: lagging})
			arn, id := b.used("web"), b.instances(zoneA, 1)[0]
			b.ok(b.setAttribute(arn, "deregistration_delay.timeout_seconds", "0"))
			b.ok(b.register(arn, id))
			b.clock.Advance(220 * time.Second)
			b.ok(b.deregister(arn, id))
			diff(b.t, []string{id + ":80 healthy "}, b.health(arn))
			diff(b.t, 0, len(b.sim.Targets(arn)))
			b.clock.Advance(20 * time.Second)
			diff(b.t, []string{}, b.health(arn))
		}},
		"MalformedTarget": {"An id that no instance can have is not valid.", "aws-load-balancer-controller#328", func(b *bench) {
			arn := b.used("web")
			_, err := b.elb.DescribeTargetHealth(b.ctx, &elbv2.DescribeTargetHealthInput{TargetGroupArn: &arn, Targets: targets("web-1")})
			b.refused(err, "ValidationError")
		}},
	})
}

func TestProfilesTakeTheirTime(t *testing.T) {
	t.Parallel()
	for _, p := range []awssim.Profile{awssim.Fast, awssim.Observed, awssim.Worst} {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, awssim.Options{Profile: p})
			arn, ids := b.used("web"), b.instances(zoneA, 50)
			b.ok(b.register(arn, ids...))
			b.clock.Advance(p.Registration.Min - 1)
			for _, target := range b.sim.Targets(arn) {
				if target.Reason != awssim.RegistrationInProgress {
					t.Fatalf("%s is %s %s before %s", target.ID, target.State, target.Reason, p.Registration.Min)
				}
			}
			b.clock.Advance(p.Registration.Max - p.Registration.Min + 1 + time.Duration(float64(120*time.Second)/p.Speed))
			for _, target := range b.sim.Targets(arn) {
				if target.State != awssim.Healthy {
					t.Fatalf("%s is %s %s after %s and five probes", target.ID, target.State, target.Reason, p.Registration.Max)
				}
			}
		})
	}
}
