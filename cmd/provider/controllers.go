package main

import (
	"fmt"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/config"

	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/customresourcesgate"

	providerconfig "github.com/provider-nlb/provider-nlb/internal/controller/config"
	"github.com/provider-nlb/provider-nlb/internal/controller/listener"
	"github.com/provider-nlb/provider-nlb/internal/controller/loadbalancer"
	"github.com/provider-nlb/provider-nlb/internal/controller/securitygroup"
	"github.com/provider-nlb/provider-nlb/internal/controller/securitygrouprule"
	"github.com/provider-nlb/provider-nlb/internal/controller/targetgroup"
)

// unelected is a manager whose controllers do not wait for the lease. The gate's is the
// only one: it writes nothing, and a process that waits for the lease has found its kinds
// and read its objects by the time that it gets it.
type unelected struct{ ctrl.Manager }

// GetControllerOptions are the defaults of a controller.
func (m unelected) GetControllerOptions() config.Controller {
	o := m.Manager.GetControllerOptions()
	o.NeedLeaderElection = new(false)

	return o
}

// register all controllers. With a gate, each starts when its CRD is there.
func (p *provider) register() error {
	if p.options.Gate != nil {
		if err := customresourcesgate.Setup(unelected{p.manager}, p.options.Options); err != nil {
			return fmt.Errorf("cannot set up the gate: %w", err)
		}
	}

	if err := providerconfig.SetupGated(p.manager, p.options); err != nil {
		return fmt.Errorf("cannot set up provider configurations: %w", err)
	}

	if err := loadbalancer.SetupGated(p.manager, p.options); err != nil {
		return fmt.Errorf("cannot set up load balancers: %w", err)
	}

	if err := listener.SetupGated(p.manager, p.options); err != nil {
		return fmt.Errorf("cannot set up listeners: %w", err)
	}

	if err := targetgroup.SetupGated(p.manager, p.options); err != nil {
		return fmt.Errorf("cannot set up target groups: %w", err)
	}

	if err := securitygroup.SetupGated(p.manager, p.options); err != nil {
		return fmt.Errorf("cannot set up security groups: %w", err)
	}

	if err := securitygrouprule.SetupGated(p.manager, p.options); err != nil {
		return fmt.Errorf("cannot set up security group rules: %w", err)
	}

	return p.registerBinding()
}
