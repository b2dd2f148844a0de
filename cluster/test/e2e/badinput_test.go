package e2e_test

import (
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

func TestBadInputIsRefusedAtOnce(t *testing.T) {
	bothScopes(t, func(t *testing.T, w *world) {
		arn := w.group("g")
		service := &v1alpha1.ServiceReference{Name: "s", Port: named("https")}
		other := &v1alpha1.Reference{Name: "g"}
		for _, c := range []struct {
			name string
			in   parameters
			says []string
		}{
			{"TwoSelectors", parameters{TargetGroupARN: &arn, ServiceRef: service, PodSelector: podsWith(app, named(portName))},
				[]string{"spec.forProvider", "select the pods in exactly one way: serviceRef or podSelector"}},
			{"NoSelector", parameters{TargetGroupARN: &arn},
				[]string{"spec.forProvider", "select the pods in exactly one way: serviceRef or podSelector"}},
			{"TwoTargetGroups", parameters{TargetGroupARN: &arn, TargetGroupARNRef: other, ServiceRef: service},
				[]string{"spec.forProvider", "name the target group in exactly one way"}},
			{"MalformedARN", parameters{TargetGroupARN: ptr("arn:aws:iam::1:role/x"), ServiceRef: service},
				[]string{"spec.forProvider.targetGroupArn"}},
		} {
			err := it.Client().Create(t.Context(), w.binding("b", c.in))
			if err == nil {
				t.Fatalf("%s: it was accepted", c.name)
			}
			if err := missing("the API server", err.Error(), c.says); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	})
}

// TestBadInputIsTold has what only shows when it is tried. Each is told in a
// condition and in an Event, names the field or object, and says what to do.
func TestBadInputIsTold(t *testing.T) {
	bothScopes(t, func(t *testing.T, w *world) {
		w.pod("a", 0)
		w.service("headless", named(portName))
		w.service("astray", named("http"))
		bare := &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "bare"},
			Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "https", Port: 443}}},
		}
		w.create(bare)
		external := &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "external"},
			Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "example.org"},
		}
		w.create(external)
		w.secret("empty", "other", "id", "secret")
		w.create(w.config("no-secret", "missing", "credentials"))
		w.create(w.config("no-key", "empty", "credentials"))
		twins := func(s *awssim.TargetGroupSeed) { s.Tags = map[string]string{"twin": w.ns} }
		twinA, twinB := w.group("twin-a", twins), w.group("twin-b", twins)
		with := func(protocol, typ string) string {
			return w.group(strings.ToLower(protocol+"-"+typ), func(s *awssim.TargetGroupSeed) { s.Protocol, s.Type = protocol, typ })
		}
		tcp, ip, alb, udp := with("TCP", "instance"), with("TCP", "ip"), with("TCP", "alb"), with("UDP", "instance")
		pods := podsWith(app, named(portName))
		service := func(name, port string) *v1alpha1.ServiceReference {
			return &v1alpha1.ServiceReference{Name: name, Port: named(port)}
		}

		for _, c := range []struct {
			name string
			in   parameters
			// config is the provider configuration that is used.
			config string
			want   message
		}{
			{name: "port-name-that-no-container-has", in: parameters{TargetGroupARN: &tcp, PodSelector: podsWith(app, named("http"))}, want: message{
				condition: "Skipped=True", kstatus: status.CurrentStatus,
				says: []string{"a: ", `no container port named "http"`, "named ports: https/TCP", "correct spec.forProvider.podSelector.port"},
			}},
			{name: "target-port-that-no-container-has", in: parameters{TargetGroupARN: &tcp, ServiceRef: service("astray", "https")}, want: message{
				condition: "Skipped=True", says: []string{`no container port named "http"`, "correct the targetPort of the Service"},
			}},
			{name: "service-that-does-not-exist", in: parameters{TargetGroupARN: &tcp, ServiceRef: service("none", "https")}, want: message{
				condition: "Ready=False", kstatus: status.InProgressStatus,
				says: []string{"spec.forProvider.serviceRef", "Service " + w.ns + "/none does not exist", "correct the Service, or the reference"},
			}},
			{name: "service-without-selector", in: parameters{TargetGroupARN: &tcp, ServiceRef: service("bare", "https")}, want: message{
				condition: "Ready=False", kstatus: status.InProgressStatus,
				says: []string{"spec.forProvider.serviceRef", "Service " + w.ns + "/bare has no selector", "correct the Service, or the reference"},
			}},
			{name: "service-of-type-external-name", in: parameters{TargetGroupARN: &tcp, ServiceRef: service("external", "https")}, want: message{
				condition: "Ready=False", says: []string{"spec.forProvider.serviceRef", "Service " + w.ns + "/external", "ExternalName"},
			}},
			{name: "service-port-that-does-not-exist", in: parameters{TargetGroupARN: &tcp, ServiceRef: service("headless", "http")}, want: message{
				condition: "Ready=False", says: []string{"spec.forProvider.serviceRef", "has no port http", "https (443/TCP)"},
			}},
			{name: "target-type-that-differs", in: parameters{TargetGroupARN: &ip, TargetType: ptr("instance"), PodSelector: pods}, want: message{
				condition: "Synced=False", kstatus: status.FailedStatus,
				says: []string{"spec.forProvider.targetType is instance", ip, "has target type ip", "remove the field, or name another target group"},
			}},
			{name: "target-type-alb", in: parameters{TargetGroupARN: &alb, PodSelector: pods}, want: message{
				condition: "Synced=False", kstatus: status.FailedStatus,
				says: []string{alb, "target type alb", "a binding serves instance and ip"},
			}},
			{name: "target-group-of-protocol-quic", in: parameters{TargetGroupARN: ptr(w.group("quic", checkedOn("QUIC", 8080))), PodSelector: pods}, want: message{
				condition: "Synced=False", kstatus: status.FailedStatus,
				says: []string{"protocol QUIC", "a binding serves TCP, TLS, UDP and TCP_UDP; name another target group"},
			}},
			{name: "udp-group-without-health-check-port", in: parameters{TargetGroupARN: &udp, PodSelector: pods}, want: message{
				condition: "Synced=False", kstatus: status.FailedStatus, says: []string{udp, "protocol UDP", "set healthCheck.port"},
			}},
			{name: "service-port-of-another-protocol", in: parameters{TargetGroupARN: ptr(w.group("udp", checkedOn("UDP", 8080))), ServiceRef: service("headless", "https")}, want: message{
				condition: "Ready=False", says: []string{"spec.forProvider.serviceRef", "does not fit the target group's protocol UDP"},
			}},
			{name: "tags-that-match-two-groups", in: parameters{
				TargetGroupTags: map[string]v1alpha1.TagValue{"twin": v1alpha1.TagValue(w.ns)}, PodSelector: pods,
			}, want: message{
				condition: "Synced=False", kstatus: status.InProgressStatus,
				says: []string{"spec.forProvider.targetGroupTags", "2 target groups", twinA + ", " + twinB, "add a tag"},
			}},
			{name: "tags-that-match-no-group", in: parameters{
				TargetGroupTags: map[string]v1alpha1.TagValue{"twin": "none"}, PodSelector: pods,
			}, want: message{
				condition: "Synced=False", says: []string{"spec.forProvider.targetGroupTags", "no target group", "twin=none", "tag one, or change the tags"},
			}},
			{name: "region-that-does-not-exist", in: parameters{Region: "eu-west-9", TargetGroupARN: &tcp, PodSelector: pods}, want: message{
				condition: "Synced=False", says: []string{"spec.forProvider.region", `"eu-west-9"`, "use the region of"},
			}},
			{name: "target-group-of-another-region", in: parameters{Region: stack.Region, TargetGroupARN: &tcp, PodSelector: pods}, want: message{
				condition: "Synced=False", says: []string{"spec.forProvider", tcp, stack.Region},
			}},
			{name: "missing-secret", config: "no-secret", in: parameters{TargetGroupARN: &tcp, PodSelector: pods}, want: message{
				condition: "Synced=False", kstatus: status.InProgressStatus,
				says: []string{w.scope.config, w.unique("no-secret"), "spec.credentials.secretRef", `Secret "missing"`, w.ns, "does not exist"},
			}},
			{name: "secret-without-the-key", config: "no-key", in: parameters{TargetGroupARN: &tcp, PodSelector: pods}, want: message{
				condition: "Synced=False", kstatus: status.InProgressStatus,
				says: []string{w.scope.config, w.unique("no-key"), "spec.credentials.secretRef", `key "credentials" of Secret "empty"`, "does not exist"},
			}},
			{name: "missing-provider-config", config: "nowhere", in: parameters{TargetGroupARN: &tcp, PodSelector: pods}, want: message{
				condition: "Synced=False", kstatus: status.InProgressStatus,
				says: []string{w.scope.config, w.unique("nowhere"), "does not exist: create it", "spec.providerConfigRef"},
			}},
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				w := w.of(t)
				b := w.binding(c.name, c.in)
				if c.config != "" {
					b = w.using(b, c.config)
				}
				w.apply(b)
				w.told("it is said what is wrong, where, and what to do", b, c.want)
				w.remove(b)
				w.gone("what never worked can be deleted", b)
			})
		}
	})
}

// checkedOn is a target group of a protocol whose health is checked on a port of
// TCP.
func checkedOn(protocol string, port int) func(*awssim.TargetGroupSeed) {
	return func(s *awssim.TargetGroupSeed) {
		s.Protocol = protocol
		s.Params = map[string]string{"HealthCheckProtocol": "TCP", "HealthCheckPort": strconv.Itoa(port)}
	}
}
