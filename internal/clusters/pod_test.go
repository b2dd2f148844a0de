package clusters

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

func condition(kind corev1.PodConditionType, status corev1.ConditionStatus, at time.Time) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.Conditions = []corev1.PodCondition{{Type: kind, Status: status, LastTransitionTime: metav1.NewTime(at)}}
	}
}

func owner(kind string) func(*corev1.Pod) {
	yes := true
	return func(p *corev1.Pod) { p.OwnerReferences = []metav1.OwnerReference{{Kind: kind, Controller: &yes}} }
}

func annotated(key, value string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Annotations = map[string]string{key: value} }
}

func TestTrimPod(t *testing.T) {
	at := time.Unix(1000, 0)
	https := []targets.Port{{Name: "https", Protocol: "TCP", Container: 8443, Host: 8443}}
	base := func(edits ...func(*targets.Pod)) *targets.Pod {
		p := &targets.Pod{
			PodRef: targets.PodRef{Namespace: "edge", Name: "a", UID: "uid-a"}, Node: "node-1",
			HostNetwork: true, Phase: "Running", ContainersReady: true, Ports: https, Grace: 30 * time.Second,
		}
		for _, edit := range edits {
			edit(p)
		}
		return p
	}
	always := corev1.ContainerRestartPolicyAlways
	cases := map[string]struct {
		reason    string
		hostPorts bool
		edit      func(*corev1.Pod)
		want      *targets.Pod
	}{
		"Usual":          {"A ready hostNetwork pod.", false, func(*corev1.Pod) {}, base()},
		"Unready":        {"ContainersReady=False tells since when.", false, condition(corev1.ContainersReady, corev1.ConditionFalse, at), base(func(p *targets.Pod) { p.ContainersReady, p.UnreadySince = false, at.UTC() })},
		"NoConditions":   {"A pod without the condition is not ready, and was never unready.", false, func(p *corev1.Pod) { p.Status.Conditions = nil }, base(func(p *targets.Pod) { p.ContainersReady = false })},
		"Deleting":       {"A deletionTimestamp is the end.", false, func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{Time: at} }, base(func(p *targets.Pod) { p.Terminating = true })},
		"Disrupted":      {"DisruptionTarget=True comes before the deletion.", false, func(p *corev1.Pod) { p.Status.Conditions[0].Type = corev1.DisruptionTarget }, base(func(p *targets.Pod) { p.Terminating, p.ContainersReady = true, false })},
		"NotDisrupted":   {"DisruptionTarget=False is a disruption that did not happen.", false, condition(corev1.DisruptionTarget, corev1.ConditionFalse, at), base(func(p *targets.Pod) { p.ContainersReady = false })},
		"DaemonSet":      {"A DaemonSet's pod comes back on its node.", false, owner("DaemonSet"), base(func(p *targets.Pod) { p.DaemonSet = true })},
		"ReplicaSet":     {"A ReplicaSet's may not.", false, owner("ReplicaSet"), base()},
		"Static":         {"A mirror of a static pod comes back on its node.", false, annotated(corev1.MirrorPodAnnotationKey, "hash"), base(func(p *targets.Pod) { p.Static = true })},
		"Excluded":       {"A pod can be taken out by hand.", false, annotated(excludeAnnotation, "true"), base(func(p *targets.Pod) { p.Excluded = true })},
		"ExcludedFalse":  {"Only the word true does.", false, annotated(excludeAnnotation, "false"), base()},
		"HostIP":         {"A hostNetwork pod that has no address yet has its host's.", false, func(p *corev1.Pod) { p.Status.HostIP = "10.0.0.1" }, base(func(p *targets.Pod) { p.IP = "10.0.0.1" })},
		"OddPhase":       {"A phase that is not known is Unknown.", false, func(p *corev1.Pod) { p.Status.Phase = "" }, base(func(p *targets.Pod) { p.Phase = "Unknown" })},
		"NotHostNetwork": {"Without the host-port flag only hostNetwork pods are kept.", false, func(p *corev1.Pod) { p.Spec.HostNetwork = false }, nil},
		"HostPort":       {"With it those with a hostPort are, too.", true, func(p *corev1.Pod) { p.Spec.HostNetwork = false }, base(func(p *targets.Pod) { p.HostNetwork = false })},
		"NoHostPort": {"But not all others: they can never be a target.", true, func(p *corev1.Pod) {
			p.Spec.HostNetwork = false
			p.Spec.Containers[0].Ports[0].HostPort = 0
		}, nil},
		"PreStop": {"A preStop hook is the container's, and the grace period the pod's.", false, func(p *corev1.Pod) {
			p.Spec.Containers[0].Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: 30}}}
			p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Ports: []corev1.ContainerPort{{ContainerPort: 9100}}})
			seconds := int64(90)
			p.Spec.TerminationGracePeriodSeconds = &seconds
		}, base(func(p *targets.Pod) {
			p.PreStop, p.Grace = true, 90*time.Second
			p.Ports = []targets.Port{{Name: "https", Protocol: "TCP", Container: 8443, Host: 8443, PreStop: true}, {Protocol: "TCP", Container: 9100}}
		})},
		"PostStart": {"Another hook is none.", false, func(p *corev1.Pod) {
			p.Spec.Containers[0].Lifecycle = &corev1.Lifecycle{PostStart: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: 30}}}
		}, base()},
		"Sidecar": {"Init containers count if they keep running; SCTP does not.", false, func(p *corev1.Pod) {
			p.Spec.Containers[0].Ports[0].Protocol = corev1.ProtocolSCTP
			p.Spec.InitContainers = []corev1.Container{
				{Ports: []corev1.ContainerPort{{ContainerPort: 1}}},
				{RestartPolicy: &always, Ports: []corev1.ContainerPort{{Name: "dns", ContainerPort: 53, Protocol: corev1.ProtocolUDP}}},
			}
		}, base(func(p *targets.Pod) { p.Ports = []targets.Port{{Name: "dns", Protocol: "UDP", Container: 53}} })},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newWorld(Options{HostPorts: tc.hostPorts})
			var got *targets.Pod
			if p := c.trimPod(aPod("a", "node-1", tc.edit)); p != nil {
				got = &p.Pod
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\ntrimPod(): -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestLabels(t *testing.T) {
	l := compact(map[string]string{"app": "proxy", "empty": "", "a.b/c": "d"})
	for _, tc := range []struct {
		reason, key, value string
		has                bool
	}{
		{"A label is found.", "app", "proxy", true},
		{"So is one with a prefix.", "a.b/c", "d", true},
		{"So is one without a value.", "empty", "", true},
		{"The end of a key is not the key.", "pp", "", false},
		{"A value is not a key.", "proxy", "", false},
	} {
		value, has := l.Lookup(tc.key)
		if value != tc.value || has != tc.has || l.Has(tc.key) != tc.has || l.Get(tc.key) != tc.value {
			t.Errorf("%s Lookup(%q) = %q, %t", tc.reason, tc.key, value, has)
		}
	}
	if compact(nil).Has("") {
		t.Error("No labels hold nothing.")
	}
	if l != compact(map[string]string{"empty": "", "a.b/c": "d", "app": "proxy"}) {
		t.Error("Equal labels are one set.")
	}
}
