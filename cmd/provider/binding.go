package main

import (
	"fmt"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/provider-nlb/provider-nlb/internal/clusters"
	"github.com/provider-nlb/provider-nlb/internal/controller/targetgroupbinding"
)

// permissionsFile grants what a binding reads. Messages about a missing
// permission name it.
const permissionsFile = "examples/gitops/packages/rbac.yaml"

// registerBinding adds TargetGroupBinding, its engine and its view of pods.
func (p *provider) registerBinding() error {
	observed, err := clusters.New(clusters.Options{
		// Pods, nodes and Services have a client of their own: a storm of
		// reconciles must not keep pod events waiting.
		Config:          rest.CopyConfig(p.manager.GetConfig()),
		HostPorts:       p.flags.hostPorts,
		PermissionsFile: permissionsFile,
		Log:             p.options.Logger,
	})
	if err != nil {
		return fmt.Errorf("cannot observe pods: %w", err)
	}
	off := ""
	if p.flags.deregistration == "off" {
		off = "the provider runs with --deregistration=off"
	}
	return targetgroupbinding.Setup(p.manager, targetgroupbinding.Options{
		Options: p.options, Cluster: observed, NoDeregistration: off, Metrics: metrics.Registry,
	})
}
