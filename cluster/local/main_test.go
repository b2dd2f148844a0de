package local_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/provider-nlb/provider-nlb/cluster/local"
	"github.com/provider-nlb/provider-nlb/cluster/local/localtest"
)

// starterEnv makes this test binary start a control plane, tell of it, and wait
// to be killed.
const starterEnv = "LOCAL_TEST_STARTER"

// started is what the starter tells.
type started struct {
	Dir  string
	PIDs []int
}

func TestMain(m *testing.M) {
	if os.Getenv(starterEnv) == "" {
		localtest.Main(m, local.Options{})
	}
	cp, err := local.Start(context.Background(), local.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if runtime.GOOS == "linux" { // elsewhere nothing ends the programs of others
		if _, err := cp.Run(local.Command{Name: "beside", Binary: "/bin/sleep", Args: []string{"600"}}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	_ = json.NewEncoder(os.Stdout).Encode(started{Dir: cp.Dir(), PIDs: cp.PIDs()})
	for range time.Tick(time.Hour) { // an empty select is a deadlock to the runtime
	}
}

// eventually polls until try is done and fails the test with its last error.
func eventually(t testing.TB, try func() (done bool, err error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := local.Poll(ctx, try); err != nil {
		t.Fatal(err)
	}
}

// podTemplate of pods with the name as label.
func podTemplate(name string, spec corev1.PodSpec) corev1.PodTemplateSpec {
	spec.Containers = []corev1.Container{{Name: "main", Image: "example.org/" + name}}
	return corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": name}}, Spec: spec}
}

func selector(name string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}}
}

// hostNetworkDaemonSet runs on the nodes with the label pool=NAME.
func hostNetworkDaemonSet(name string) *appsv1.DaemonSet {
	return &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec: appsv1.DaemonSetSpec{Selector: selector(name), Template: podTemplate(name, corev1.PodSpec{
			HostNetwork:  true,
			NodeSelector: map[string]string{"pool": name},
		})},
	}
}

// inPool labels the nodes with pool=NAME.
func inPool(name string, specs []local.NodeSpec) []local.NodeSpec {
	for i := range specs {
		specs[i].Labels = map[string]string{"pool": name}
	}
	return specs
}
