package e2e_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// secret makes a Secret with credentials under a key.
func (w *world) secret(name, key, id, secret string) *corev1.Secret {
	w.t.Helper()
	s := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: name},
		StringData: map[string]string{key: "[default]\naws_access_key_id = " + id + "\naws_secret_access_key = " + secret + "\n"},
	}
	w.create(s)
	return s
}

func TestWrongCredentialsAreToldAndHeal(t *testing.T) {
	bothScopes(t, func(_ *testing.T, w *world) {
		w.pod("a", 0)
		for _, c := range []struct {
			name, id, secret, code string
		}{
			{"unknown-key", "AKIAIOSFODNN7WRONG00", "wrong", "InvalidClientTokenId"},
			{"wrong-secret", awssim.DefaultKey.ID, "wrong", "SignatureDoesNotMatch"},
		} {
			arn := w.group(c.name)
			s := w.secret(c.name, "credentials", c.id, c.secret)
			w.create(w.config(c.name, c.name, "credentials"))
			b := w.using(w.binding(c.name, parameters{TargetGroupARN: &arn, PodSelector: podsWith(app, named(portName))}), c.name)
			w.apply(b)
			w.told("the configuration and AWS's answer are named", b, message{
				condition: "Synced=False", kstatus: status.InProgressStatus,
				says: []string{w.scope.config, w.unique(c.name), c.code},
			})
			w.patch(s, `{"stringData":{"credentials":"[default]\naws_access_key_id = `+awssim.DefaultKey.ID+
				`\naws_secret_access_key = `+awssim.DefaultKey.Secret+`\n"}}`)
			w.holds("a Secret that is corrected is used at once", arn, w.on(0)...)
			w.ready(b)
		}
	})
}

func TestThrottlingDelaysAndLosesNothing(t *testing.T) {
	for _, c := range []struct {
		name, action string
		times        int
		want         calls
		event        string
	}{
		{"Register", "RegisterTargets", 4, calls{5, 1}, "CannotRegisterTargets"},
		{"Deregister", "DeregisterTargets", 4, calls{1, 5}, "CannotDeregisterTargets"},
		{"Read", "DescribeTargetHealth", 6, calls{1, 1}, ""},
		{"Describe", "DescribeTargetGroupAttributes", 6, calls{1, 1}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			bothScopes(t, func(t *testing.T, w *world) {
				arn := w.group("g")
				t.Cleanup(it.Sim.Fault(awssim.Fault{Action: c.action, Contains: arn, Times: c.times, Effect: awssim.Throttle}))
				b := w.bind("b", parameters{
					TargetGroupARN: &arn, PodSelector: podsWith(app, named(portName)), EmptyPolicy: ptr("Deregister"),
				})
				pod := w.pod("a", 0)
				w.holds("a throttled call is made again", arn, w.on(0)...)
				w.ready(b)
				w.remove(pod)
				w.holds("the pod leaves", arn)
				if c.event != "" {
					w.event("that AWS throttles can be seen", b, "Warning", c.event, "Throttling")
				}
				w.tookSince(calls{}, "each refusal is one call more, and nothing is done twice", arn, c.want)
			})
		})
	}
}
