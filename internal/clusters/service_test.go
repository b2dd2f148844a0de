package clusters

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

func aService(name string, edits ...func(*corev1.ServiceSpec)) *corev1.Service {
	s := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "edge", Name: name},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app": "proxy"},
			Ports:    []corev1.ServicePort{{Name: "https", Port: 443, TargetPort: intstr.FromString("https"), NodePort: 30443}},
		},
	}
	for _, edit := range edits {
		edit(&s.Spec)
	}
	return s
}

func ports(ports ...corev1.ServicePort) func(*corev1.ServiceSpec) {
	return func(s *corev1.ServiceSpec) { s.Ports = ports }
}

func TestResolve(t *testing.T) {
	type result struct {
		Missing, Selector string
		Selection         targets.Selection
	}
	byService := func(port intstr.IntOrString, protocol string) Query {
		return Query{Namespace: "edge", Service: "proxy", Port: port, GroupProtocol: protocol}
	}
	https, dns := intstr.FromString("https"), intstr.FromInt32(53)
	tcp53 := corev1.ServicePort{Name: "dns-tcp", Port: 53, Protocol: corev1.ProtocolTCP, TargetPort: intstr.FromInt32(1053)}
	udp53 := corev1.ServicePort{Name: "dns", Port: 53, Protocol: corev1.ProtocolUDP, TargetPort: intstr.FromInt32(1053)}
	udp54 := udp53
	udp54.TargetPort = intstr.FromInt32(1054)

	cases := map[string]struct {
		reason  string
		query   Query
		service *corev1.Service
		want    result
	}{
		"Name":          {"A named targetPort is looked up in the containers.", byService(https, "TLS"), aService("proxy"), result{Selector: "app=proxy", Selection: targets.Selection{PortName: "https"}}},
		"Number":        {"A port may be given by its number.", byService(intstr.FromInt32(443), "TCP"), aService("proxy"), result{Selector: "app=proxy", Selection: targets.Selection{PortName: "https"}}},
		"TargetNumber":  {"A targetPort that is a number is the host port.", byService(dns, "UDP"), aService("proxy", ports(udp53)), result{Selector: "app=proxy", Selection: targets.Selection{Port: 1053}}},
		"NoTargetPort":  {"Without a targetPort it is the port itself.", byService(https, "TCP"), aService("proxy", ports(corev1.ServicePort{Name: "https", Port: 443})), result{Selector: "app=proxy", Selection: targets.Selection{Port: 443}}},
		"Protocol":      {"The group's protocol chooses between ports of one number.", byService(dns, "UDP"), aService("proxy", ports(tcp53, udp54)), result{Selector: "app=proxy", Selection: targets.Selection{Port: 1054}}},
		"Both":          {"TCP_UDP takes both if they lead to one place.", byService(dns, "TCP_UDP"), aService("proxy", ports(tcp53, udp53)), result{Selector: "app=proxy", Selection: targets.Selection{Port: 1053}}},
		"BothDiffer":    {"If they do not, somebody must choose.", byService(dns, "TCP_UDP"), aService("proxy", ports(tcp53, udp54)), result{Missing: "Service edge/proxy has ports dns (53/UDP), dns-tcp (53/TCP), which lead to different ports of the pods; choose one by its name"}},
		"WrongProtocol": {"A port of another protocol never gets traffic.", byService(https, "UDP"), aService("proxy"), result{Missing: "Service edge/proxy has port https (443/TCP), which does not fit the target group's protocol UDP"}},
		"NoSuchPort":    {"The ports that there are help to correct the name.", byService(intstr.FromString("http"), "TCP"), aService("proxy", ports(tcp53, udp53)), result{Missing: "Service edge/proxy has no port http; it has dns (53/UDP), dns-tcp (53/TCP)"}},
		"NoPorts":       {"A headless Service may have none.", byService(https, "TCP"), aService("proxy", ports()), result{Missing: "Service edge/proxy has no port https; it has none"}},
		"NodePort":      {"The nodePort is never meant.", byService(intstr.FromInt32(30443), "TCP"), aService("proxy"), result{Missing: "Service edge/proxy has no port 30443; it has https (443/TCP)"}},
		"NoService":     {"A Service that does not exist selects nothing.", byService(https, "TCP"), nil, result{Missing: "Service edge/proxy does not exist"}},
		"NoSelector":    {"An empty selector of a Service selects nothing, not everything.", byService(https, "TCP"), aService("proxy", func(s *corev1.ServiceSpec) { s.Selector = nil }), result{Missing: "Service edge/proxy has no selector"}},
		"ExternalName":  {"An ExternalName has no pods.", byService(https, "TCP"), aService("proxy", func(s *corev1.ServiceSpec) { s.Type = corev1.ServiceTypeExternalName }), result{Missing: "Service edge/proxy is of type ExternalName and selects no pods"}},
		"PodSelector":   {"A pod selector needs no Service; its number is the host port.", Query{Namespace: "edge", PodSelector: labels.SelectorFromSet(labels.Set{"a": "b"}), Port: dns}, nil, result{Selector: "a=b", Selection: targets.Selection{Port: 53}}},
		"PodPortName":   {"And its name that of a container port.", Query{Namespace: "edge", PodSelector: labels.Everything(), Port: https}, nil, result{Selection: targets.Selection{PortName: "https"}}},
		"Neither":       {"A binding must say which pods.", Query{Namespace: "edge"}, nil, result{Missing: "the binding names neither a Service nor a pod selector"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var s *service
			if tc.service != nil {
				s = trimService(tc.service)
			}
			f := resolve(tc.query, s)
			got := result{Missing: f.missing, Selection: f.selection}
			if f.selector != nil {
				got.Selector = f.selector.String()
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nresolve(): -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}
