package awssim_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

const (
	certOne  = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000001"
	certTwo  = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000002"
	certIAM  = "arn:aws:iam::123456789012:server-certificate/edge"
	forwards = "APIReference/API_Action.html"

	createListenerDoc = "APIReference/API_CreateListener.html"
	modifyListenerDoc = "APIReference/API_ModifyListener.html"
	listenersDoc      = "network/load-balancer-listeners.html"
)

// of makes a target group of a protocol.
func (b *bench) of(name, protocol string, params ...string) string {
	b.t.Helper()
	seed := awssim.TargetGroupSeed{Name: name, Protocol: protocol, Port: 80, VPC: vpc, Params: map[string]string{}}
	for i := 0; i < len(params); i += 2 {
		seed.Params[params[i]] = params[i+1]
	}
	arn, err := b.sim.SeedTargetGroup(seed)
	b.ok(err)
	return arn
}

type createListener = elbv2.CreateListenerInput

func to(arns ...string) []types.Action {
	if len(arns) == 1 {
		return []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: &arns[0]}}
	}
	f := &types.ForwardActionConfig{}
	for i := range arns {
		f.TargetGroups = append(f.TargetGroups, types.TargetGroupTuple{TargetGroupArn: &arns[i], Weight: aws.Int32(10)})
	}
	return []types.Action{{Type: types.ActionTypeEnumForward, ForwardConfig: f}}
}

func (b *bench) listen(lb, protocol string, port int32, actions []types.Action, change func(*createListener)) (types.Listener, error) {
	in := &createListener{LoadBalancerArn: &lb, Protocol: types.ProtocolEnum(protocol), Port: &port, DefaultActions: actions}
	if change != nil {
		change(in)
	}
	out, err := b.elb.CreateListener(b.ctx, in)
	if err != nil {
		return types.Listener{}, err
	}
	return out.Listeners[0], nil
}

// tcp makes a TCP listener on port 80 and returns its ARN.
func (b *bench) tcp(lb, group string) string {
	b.t.Helper()
	l, err := b.listen(lb, "TCP", 80, to(group), nil)
	b.ok(err)
	return *l.ListenerArn
}

func (b *bench) modify(arn string, change func(*elbv2.ModifyListenerInput)) (types.Listener, error) {
	in := &elbv2.ModifyListenerInput{ListenerArn: &arn}
	change(in)
	out, err := b.elb.ModifyListener(b.ctx, in)
	if err != nil {
		return types.Listener{}, err
	}
	return out.Listeners[0], nil
}

func (b *bench) deleteGroup(arn string) error {
	_, err := b.elb.DeleteTargetGroup(b.ctx, &elbv2.DeleteTargetGroupInput{TargetGroupArn: &arn})
	return err
}

func certificates(arns ...string) []types.Certificate {
	var out []types.Certificate
	for i := range arns {
		out = append(out, types.Certificate{CertificateArn: &arns[i]})
	}
	return out
}

func TestCreateListenerRefuses(t *testing.T) {
	t.Parallel()
	creating := func(code, protocol, group, reason, source string, change func(*createListener)) rule {
		return rule{reason, source, func(b *bench) {
			b.networked().sim.SeedCertificate(certOne)
			lb := b.lb(nil)
			_, err := b.listen(lb, protocol, 80, to(b.of("web", group)), change)
			b.refused(err, code)
			if n := len(b.sim.LoadBalancers(awssim.DefaultAccount, region)[0].Listeners); n != 0 {
				b.t.Errorf("%d listeners after a refused create, want none", n)
			}
		}}
	}
	const invalid, conf = "ValidationError", "InvalidConfigurationRequest"
	certified := func(i *createListener) { i.Certificates = certificates(certOne) }
	run(t, map[string]rule{
		"HTTP": creating(invalid, "HTTP", "TCP", "HTTP is for Application Load Balancers.", "pulumi/pulumi-aws#1193", nil),
		"NoPort": creating(invalid, "TCP", "TCP", "A port is needed.", createListenerDoc,
			func(i *createListener) { i.Port = nil }),
		"PortTooLarge": creating(invalid, "TCP", "TCP", "A port is 1-65535.", createListenerDoc,
			func(i *createListener) { i.Port = aws.Int32(65536) }),
		"NoAction": creating(invalid, "TCP", "TCP", "An action is needed.", createListenerDoc,
			func(i *createListener) { i.DefaultActions = []types.Action{} }),
		"TwoActions": creating("TooManyActions", "TCP", "TCP", "Exactly one action.", "facts/aws.md §1.5",
			func(i *createListener) { i.DefaultActions = append(i.DefaultActions, i.DefaultActions[0]) }),
		"Redirect": creating("InvalidLoadBalancerAction", "TCP", "TCP", "A Network Load Balancer only forwards.", forwards,
			func(i *createListener) {
				i.DefaultActions = []types.Action{{Type: "redirect", RedirectConfig: &types.RedirectActionConfig{StatusCode: "HTTP_301"}}}
			}),
		"StickinessDuration": creating(conf, "TCP", "TCP", "A duration is for Application Load Balancers.",
			"APIReference/API_TargetGroupStickinessConfig.html", func(i *createListener) {
				i.DefaultActions[0].ForwardConfig = &types.ForwardActionConfig{
					TargetGroupStickinessConfig: &types.TargetGroupStickinessConfig{DurationSeconds: aws.Int32(1)},
				}
			}),
		"WeightTooLarge": creating(invalid, "TCP", "TCP", "A weight is 0-999.", "APIReference/API_TargetGroupTuple.html",
			func(i *createListener) {
				i.DefaultActions[0].ForwardConfig = &types.ForwardActionConfig{TargetGroups: []types.TargetGroupTuple{
					{TargetGroupArn: i.DefaultActions[0].TargetGroupArn, Weight: aws.Int32(1000)},
				}}
			}),
		"TCPToUDP":         creating("IncompatibleProtocols", "TCP", "UDP", "Protocols have to match.", "hashicorp/terraform-provider-aws#4955", nil),
		"UDPToTCP":         creating("IncompatibleProtocols", "UDP", "TCP", "Protocols have to match.", listenersDoc, nil),
		"TCPUDPToTCP":      creating("IncompatibleProtocols", "TCP_UDP", "TCP", "TCP_UDP forwards to TCP_UDP only.", listenersDoc, nil),
		"QUICToUDP":        creating("IncompatibleProtocols", "QUIC", "UDP", "QUIC forwards to QUIC and TCP_QUIC.", listenersDoc, nil),
		"TLSToUDP":         creating("IncompatibleProtocols", "TLS", "UDP", "TLS forwards to TCP and TLS.", listenersDoc, certified),
		"TCPToTLS":         creating("IncompatibleProtocols", "TCP", "TLS", "TCP forwards to TCP, TCP_UDP and TCP_QUIC.", listenersDoc, nil),
		"TLSUncertified":   creating(invalid, "TLS", "TLS", "TLS needs a certificate.", "pulumi/pulumi#15712", nil),
		"TCPCertified":     creating(invalid, "TCP", "TCP", "A certificate is for TLS.", "awslabs/fargatecli#104", certified),
		"CertificateTwice": creating(invalid, "TLS", "TLS", "One default certificate.", createListenerDoc, func(i *createListener) { i.Certificates = certificates(certOne, certOne) }),
		"CertificateDefault": creating(invalid, "TLS", "TLS", "IsDefault must not be set.", createListenerDoc,
			func(i *createListener) {
				i.Certificates = []types.Certificate{{CertificateArn: aws.String(certOne), IsDefault: aws.Bool(true)}}
			}),
		"CertificateUnknown": creating("CertificateNotFound", "TLS", "TLS", "A certificate has to exist.", createListenerDoc,
			func(i *createListener) { i.Certificates = certificates(certTwo) }),
		"CertificateMalformed": creating(invalid, "TLS", "TLS", "A certificate has an ARN.", createListenerDoc,
			func(i *createListener) { i.Certificates = certificates("edge") }),
		"UnknownPolicy": creating("SSLPolicyNotFound", "TLS", "TLS", "A policy has to exist.", createListenerDoc,
			func(i *createListener) { certified(i); i.SslPolicy = aws.String("ELBSecurityPolicy-2099-01") }),
		"PolicyOfTCP": creating(invalid, "TCP", "TCP", "A policy is for TLS.", createListenerDoc,
			func(i *createListener) { i.SslPolicy = aws.String("ELBSecurityPolicy-2016-08") }),
		"UnknownALPN": creating("ALPNPolicyNotFound", "TLS", "TLS", "An ALPN policy is one of five.", createListenerDoc,
			func(i *createListener) { certified(i); i.AlpnPolicy = []string{"HTTP3Only"} }),
		"ALPNOfTCP": creating(invalid, "TCP", "TCP", "ALPN is for TLS.", createListenerDoc,
			func(i *createListener) { i.AlpnPolicy = []string{"HTTP2Only"} }),
		"UnknownGroup": creating("TargetGroupNotFound", "TCP", "TCP", "A target group has to exist.", createListenerDoc,
			func(i *createListener) {
				i.DefaultActions = to(strings.Replace(*i.DefaultActions[0].TargetGroupArn, "/web/", "/other/", 1))
			}),
		"UnknownLoadBalancer": creating("LoadBalancerNotFound", "TCP", "TCP", "A load balancer has to exist.", createListenerDoc,
			func(i *createListener) {
				i.LoadBalancerArn = aws.String(strings.Replace(*i.LoadBalancerArn, "/edge/", "/other/", 1))
			}),
		"MutualAuthentication": creating(conf, "TLS", "TLS", "Mutual authentication is for Application Load Balancers.", createListenerDoc,
			func(i *createListener) {
				certified(i)
				i.MutualAuthentication = &types.MutualAuthenticationAttributes{Mode: aws.String("verify")}
			}),
	})
}
