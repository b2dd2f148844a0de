package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/cluster/local"
	"github.com/provider-nlb/provider-nlb/cluster/local/localtest"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

func TestMain(m *testing.M) { localtest.Main(m, local.Options{Parts: local.APIOnly}) }

func TestFlagsAreNamedAsOtherProvidersNameThem(t *testing.T) {
	var names []string
	(&flags{}).set().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })

	for _, want := range []string{
		"debug", "leader-election", "sync", "poll", "poll-jitter-percentage", "poll-state-metric", "max-reconcile-rate",
		"metrics-bind-address", "health-probe-bind-addr", "enable-management-policies", "min-poll-interval", "kubeconfig",
		"enable-changelogs", "changelogs-socket-path",
	} {
		if !slices.Contains(names, want) {
			t.Errorf("there is no --%s", want)
		}
	}
}

func TestFlagsAreChecked(t *testing.T) {
	cases := map[string]struct{ reason, arg, want string }{
		"Poll":         {"0 would mean never.", "--poll=0s", "--poll must be more than 0"},
		"StateMetrics": {"Each recording lists everything.", "--poll-state-metric=5s", "--poll-state-metric must be at least 30s"},
		"Jitter":       {"A poll must not come twice as early.", "--poll-jitter-percentage=90", "--poll-jitter-percentage must be from 0 to 50"},
		"Rate":         {"0 would be nothing at all.", "--max-reconcile-rate=0", "--max-reconcile-rate must be at least 1"},
		"Share":        {"More than all of the account cannot be used.", "--aws-api-share=101", "--aws-api-share must be from 1 to 100"},
		"Lease":        {"A leader must give up before the next one starts.", "--leader-election-renew-deadline=15s", "--leader-election-renew-deadline must be less"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f := &flags{}
			if err := f.parse([]string{tc.arg}, noEnv); err != nil {
				t.Fatal(err)
			}

			if err := f.validate(); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("\n%s\nvalidate(): %v, want %q", tc.reason, err, tc.want)
			}
		})
	}
}

func noEnv(string) string { return "" }

func TestFlagsAreReadFromTheEnvironment(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   []string
		env    map[string]string
		want   func(*flags) bool
		err    string
	}{
		"Default": {reason: "Nothing is said.", want: func(f *flags) bool {
			return f.enableManagementPolicies && f.deregistration == "on" && f.pollInterval == 10*time.Minute && f.namespacedProviderConfig == "restricted"
		}},
		"No":       {reason: "A switch that is on can be turned off.", args: []string{"--no-enable-management-policies"}, want: func(f *flags) bool { return !f.enableManagementPolicies }},
		"Short":    {reason: "As other providers have it.", args: []string{"-d", "-l", "-s", "2h"}, want: func(f *flags) bool { return f.debug && f.leaderElection && f.syncInterval == 2*time.Hour }},
		"Env":      {reason: "A DeploymentRuntimeConfig may set it.", env: map[string]string{"PROVIDER_NLB_POLL": "15s"}, want: func(f *flags) bool { return f.pollInterval == 15*time.Second }},
		"OwnName":  {reason: "Crossplane's name for it.", env: map[string]string{"LEADER_ELECTION": "true", "ENABLE_CHANGE_LOGS": "true", "POD_NAMESPACE": "x"}, want: func(f *flags) bool { return f.leaderElection && f.enableChangeLogs && f.podNamespace == "x" }},
		"Both":     {reason: "The command line wins.", args: []string{"--poll=1m"}, env: map[string]string{"PROVIDER_NLB_POLL": "15s"}, want: func(f *flags) bool { return f.pollInterval == time.Minute }},
		"Choice":   {reason: "A brake that is mistyped must not be off.", args: []string{"--deregistration=of"}, err: "must be one of on, off"},
		"EnvWrong": {reason: "The variable is named.", env: map[string]string{"PROVIDER_NLB_POLL": "soon"}, err: "PROVIDER_NLB_POLL=soon"},
		"Unknown":  {reason: "It is mistyped.", args: []string{"--pol=1m"}, err: "unknown flag: --pol"},
		"NoValue":  {reason: "Only a switch can be turned off.", args: []string{"--no-poll"}, err: "unknown flag: --no-poll"},
		"Word":     {reason: "There are no commands.", args: []string{"start"}, err: "unexpected argument"},
		"Help":     {reason: "It ends, and nothing runs.", args: []string{"--help"}, err: pflag.ErrHelp.Error()},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f := &flags{}
			err := f.parse(tc.args, func(name string) string { return tc.env[name] })

			switch {
			case tc.err != "":
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("\n%s\nparse(): %v, want %q", tc.reason, err, tc.err)
				}
			case err != nil || !tc.want(f):
				t.Errorf("\n%s\nparse(): %v, %+v", tc.reason, err, f)
			}
		})
	}
}

// TestProvider runs the provider as main does, from before its CRDs are there.
func TestProvider(t *testing.T) {
	cp := localtest.ControlPlane(t)
	sim := awssim.New(awssim.Options{})
	t.Cleanup(sim.Close)
	sim.SeedVPC(awssim.DefaultKey.Account, "eu-west-1", "vpc-0a")

	metrics, health := address(t), address(t)
	logged, socket := listen(t)
	f := &flags{}

	if err := f.parse([]string{
		"--kubeconfig=" + cp.Kubeconfig(), "--leader-election", "--pod-namespace=default",
		"--metrics-bind-address=" + metrics, "--health-probe-bind-addr=" + health,
		"--enable-changelogs", "--changelogs-socket-path=" + socket,
	}, noEnv); err != nil {
		t.Fatal(err)
	}

	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)

	go func() {
		err := run(ctx, f)
		if ctx.Err() == nil {
			t.Errorf("it ended by itself: %v", err)
		}

		ended <- err
	}()

	t.Cleanup(stop)
	eventually(t, "it is healthy", func() bool { return get(health, "/healthz") != "" && get(health, "/readyz") != "" })

	c := cp.Client()
	lease := &coordinationv1.Lease{}
	key := client.ObjectKey{Namespace: "default", Name: leaseName}

	eventually(t, "it leads", func() bool {
		return c.Get(t.Context(), key, lease) == nil && lease.Spec.HolderIdentity != nil && *lease.Spec.HolderIdentity != ""
	})

	if err := cp.ApplyFiles(t.Context(), "../../package/provider/crds"); err != nil {
		t.Fatal(err)
	}

	checkGroup(t, cp, sim)
	eventually(t, "its creation is logged", func() bool {
		return slices.Equal(logged(), []string{"provider-nlb:dev OPERATION_TYPE_CREATE nlb.m.crossplane.io/v1alpha1 TargetGroup edge"})
	})

	for _, want := range []string{"controller_runtime_reconcile_total", "crossplane_managed_resource"} {
		if !strings.Contains(get(metrics, "/metrics"), want) {
			t.Errorf("there is no metric %s", want)
		}
	}

	stop()

	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}

	if err := c.Get(t.Context(), key, lease); err != nil || lease.Spec.HolderIdentity != nil && *lease.Spec.HolderIdentity != "" {
		t.Errorf("the lease was not released, so the next leader waits: %v, %v", lease.Spec.HolderIdentity, err)
	}
}

// checkGroup makes a group and looks for it in AWS.
func checkGroup(t *testing.T, cp *local.ControlPlane, sim *awssim.Sim) {
	t.Helper()

	tg := apply(t, cp, sim)
	eventually(t, "the group is ready", func() bool {
		s, err := newScheme()
		if err != nil {
			return false
		}

		typed, err := client.New(cp.Config(), client.Options{Scheme: s})
		if err != nil || typed.Get(t.Context(), client.ObjectKeyFromObject(tg), tg) != nil {
			return false
		}

		return tg.GetCondition(xpv2.TypeReady).Status == corev1.ConditionTrue
	})

	id := &corev1.ConfigMap{}
	if err := cp.Client().Get(t.Context(), client.ObjectKey{Namespace: "default", Name: controller.IdentityConfigMap}, id); err != nil {
		t.Error(err)
	}

	if got := sim.TargetGroups(awssim.DefaultKey.Account, "eu-west-1")[0].Tags[controller.TagCluster]; got != id.Data["clusterId"] {
		t.Errorf("the group is tagged with cluster %q, want %q", got, id.Data["clusterId"])
	}
}

// apply a configuration and a group.
func apply(t *testing.T, cp *local.ControlPlane, sim *awssim.Sim) *namespaced.TargetGroup {
	t.Helper()

	url, err := sim.Start()
	if err != nil {
		t.Fatal(err)
	}

	if err := cp.Apply(t.Context(), fmt.Appendf(nil, `
apiVersion: v1
kind: Secret
metadata: {namespace: default, name: aws}
stringData:
  ini: |
    [default]
    aws_access_key_id = %s
    aws_secret_access_key = %s
---
apiVersion: nlb.m.crossplane.io/v1alpha1
kind: ClusterProviderConfig
metadata: {name: default}
spec:
  credentials: {source: Secret, secretRef: {namespace: default, name: aws, key: ini}}
  endpoint: {url: %q}
---
apiVersion: nlb.m.crossplane.io/v1alpha1
kind: TargetGroup
metadata: {namespace: default, name: edge}
spec: {forProvider: {region: eu-west-1, protocol: TCP, port: 443, vpcId: vpc-0a}}
`, awssim.DefaultKey.ID, awssim.DefaultKey.Secret, url)); err != nil {
		t.Fatal(err)
	}

	return &namespaced.TargetGroup{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "edge"}}
}

func eventually(t *testing.T, what string, wanted func() bool) {
	t.Helper()

	err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, 30*time.Second, true, func(context.Context) (bool, error) {
		return wanted(), nil
	})
	if err != nil {
		t.Fatalf("never: %s", what)
	}
}

// address is a free one.
func address(t *testing.T) string {
	t.Helper()

	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}

	defer func() { _ = l.Close() }()

	return l.Addr().String()
}

// get returns the body of a good answer.
func get(address, path string) string {
	c := &http.Client{Timeout: 5 * time.Second}

	r, err := c.Get("http://" + address + path)
	if err != nil {
		return ""
	}

	defer func() { _ = r.Body.Close() }()

	body, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		return ""
	}

	return string(body)
}
