package main

import (
	"fmt"

	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/customresourcesgate"

	"github.com/provider-nlb/provider-nlb/internal/controller/config"
	"github.com/provider-nlb/provider-nlb/internal/controller/listener"
	"github.com/provider-nlb/provider-nlb/internal/controller/loadbalancer"
	"github.com/provider-nlb/provider-nlb/internal/controller/securitygroup"
	"github.com/provider-nlb/provider-nlb/internal/controller/securitygrouprule"
	"github.com/provider-nlb/provider-nlb/internal/controller/targetgroup"
)

// register all controllers. With a gate, each starts when its CRD is there.
func (p *provider) register() error {
	if p.options.Gate != nil {
		if err := customresourcesgate.Setup(p.manager, p.options.Options); err != nil {
			return fmt.Errorf("cannot set up the gate: %w", err)
		}
	}

	if err := config.SetupGated(p.manager, p.options); err != nil {
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
