package clusters

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// TestTheExampleOfRolloutsHasNoRisk: what docs/rollouts.md tells users to copy is
// valid, and the binding has nothing to advise about it. Fields that do not exist are
// refused; the TargetGroup and the binding are validated with all other documents.
func TestTheExampleOfRolloutsHasNoRisk(t *testing.T) {
	text, err := os.ReadFile("../../docs/rollouts.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(text)
	if block == nil {
		t.Fatal("there is no example")
	}
	var ds appsv1.DaemonSet
	var group struct {
		Kind string
		Spec struct {
			ForProvider struct {
				Protocol    string
				HealthCheck struct {
					Protocol, Port                      string
					IntervalSeconds, UnhealthyThreshold int
					HealthyThreshold                    int
				}
				UnhealthyTargets struct {
					ConnectionTermination   *bool
					DrainingIntervalSeconds int64
				}
			}
		}
	}
	for _, document := range strings.Split(string(block[1]), "\n---\n") {
		switch {
		case strings.Contains(document, "kind: DaemonSet"):
			err = yaml.UnmarshalStrict([]byte(document), &ds)
		case strings.Contains(document, "kind: ConfigMap"):
			err = yaml.UnmarshalStrict([]byte(document), &corev1.ConfigMap{})
		case strings.Contains(document, "kind: TargetGroup\n"):
			err = yaml.Unmarshal([]byte(document), &group)
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
	}
	p := group.Spec.ForProvider
	of := targets.Group{
		Protocol: p.Protocol, EndsUnhealthy: p.UnhealthyTargets.ConnectionTermination == nil || *p.UnhealthyTargets.ConnectionTermination,
		Check: targets.HealthCheck{
			Protocol: p.HealthCheck.Protocol, Port: p.HealthCheck.Port,
			Interval: time.Duration(p.HealthCheck.IntervalSeconds) * time.Second, Unhealthy: p.HealthCheck.UnhealthyThreshold,
		},
	}
	pod := newWorld(Options{}).trimPod(&corev1.Pod{Spec: ds.Spec.Template.Spec})
	if pod == nil {
		t.Fatal("the pods of the example cannot be targets")
	}
	if diff := cmp.Diff([]targets.Risk(nil), targets.DrainRisks(of, targets.Selection{PortName: "https"}, []targets.Pod{pod.Pod})); diff != "" {
		t.Errorf("the binding would advise against its own example: -want, +got:\n%s", diff)
	}
	sleep := regexp.MustCompile(`sleep (\d+)`).FindStringSubmatch(strings.Join(ds.Spec.Template.Spec.Containers[0].Lifecycle.PreStop.Exec.Command, " "))
	waits, err := time.ParseDuration(sleep[1] + "s")
	if err != nil || waits < of.Check.Notices()+40*time.Second || waits >= pod.Grace {
		t.Errorf("the hook waits for %s, want from H + 40 s to less than the grace period of %s", waits, pod.Grace)
	}
	if again := p.HealthCheck.HealthyThreshold * p.HealthCheck.IntervalSeconds; int(ds.Spec.MinReadySeconds) <= again {
		t.Errorf("minReadySeconds of %d is not more than the %d s that AWS takes", ds.Spec.MinReadySeconds, again)
	}
	if float64(p.UnhealthyTargets.DrainingIntervalSeconds) < (pod.Grace - of.Check.Notices()).Seconds() {
		t.Errorf("AWS ends connections %d s after unhealthy, before the pod has to exit", p.UnhealthyTargets.DrainingIntervalSeconds)
	}
}
