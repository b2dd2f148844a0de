package main

import (
	"fmt"

	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/customresourcesgate"

	"github.com/provider-nlb/provider-nlb/internal/controller/config"
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

	if err := targetgroup.SetupGated(p.manager, p.options); err != nil {
		return fmt.Errorf("cannot set up target groups: %w", err)
	}

	return p.registerBinding()
}
