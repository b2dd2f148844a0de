package install

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/provider-nlb/provider-nlb/cluster/local"
	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
)

// RunProvider plays the kubelet for a pod of the provider's Deployment, as Crossplane
// has made it for the current revision: its image's program, its arguments, and a
// token of its ServiceAccount. The environment of the process may have more. It
// returns the name of the process, for StopProcess.
func (i *Installation) RunProvider(ctx context.Context, more ...string) (string, error) {
	account, revision, err := i.Crossplane.ProviderAccount(ctx, Provider)
	if err != nil {
		return "", err
	}
	deployment := &appsv1.Deployment{}
	if err := i.Client().Get(ctx, key(stack.Namespace, revision), deployment); err != nil {
		return "", err
	}
	container := deployment.Spec.Template.Spec.Containers[0]
	program, err := i.program(ctx, container.Image, "provider-nlb")
	if err != nil {
		return "", err
	}
	kubeconfig, err := i.ServiceAccountKubeconfig(ctx, account)
	if err != nil {
		return "", err
	}
	free, err := i.Ports(1)
	if err != nil {
		return "", err
	}
	health := fmt.Sprintf("127.0.0.1:%d", free[0])
	env := append([]string{
		"KUBECONFIG=" + kubeconfig, "POD_NAMESPACE=" + stack.Namespace, "PROVIDER_NLB_DEBUG=true",
		"PROVIDER_NLB_METRICS_BIND_ADDRESS=127.0.0.1:0", "PROVIDER_NLB_HEALTH_PROBE_BIND_ADDR=" + health,
	}, append(slices.Clone(i.providerEnv), more...)...)
	process := strings.Replace(path.Base(container.Image), ":", "-", 1)
	p, err := i.Run(local.Command{Name: process, Binary: program, Args: container.Args, Env: env})
	if err != nil {
		return "", err
	}
	return process, p.WaitUntil(ctx, local.Healthy(http.DefaultClient, "http://"+health+"/readyz"))
}
