package composition

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

// environment is what the EnvironmentConfig of a claim is required as.
const environment = "environment"

// merged returns a claim with the settings of its environment.
func merged(claim NetworkLoadBalancerSpec, env Object) (NetworkLoadBalancerSpec, error) {
	data, err := json.Marshal(env["data"])
	if err != nil {
		return claim, fmt.Errorf("cannot encode the environment: %w", err)
	}

	defaults := Settings{}
	strict := json.NewDecoder(bytes.NewReader(data))
	strict.DisallowUnknownFields()

	if err := strict.Decode(&defaults); err != nil {
		return claim, Invalid{fmt.Sprintf("EnvironmentConfig %q: data: %s", or(claim.Environment, ""), location(err))}
	}

	tags := maps.Clone(defaults.Tags)
	if tags == nil {
		tags = map[string]v1alpha1.TagValue{}
	}

	maps.Copy(tags, claim.Tags)

	// What the claim has replaces what is already there.
	own, err := json.Marshal(withoutTags(claim.Settings))
	if err != nil {
		return claim, fmt.Errorf("cannot encode the claim: %w", err)
	}

	if err := overlay(own, &defaults); err != nil {
		return claim, err
	}

	claim.Settings = defaults
	claim.Tags = tags

	return claim, nil
}

func withoutTags(s Settings) Settings {
	s.Tags = nil

	return s
}

// overlay replaces fields as a whole: decoding into what a pointer leads to would
// mix, say, two health checks.
func overlay(own []byte, into *Settings) error {
	fields := map[string]json.RawMessage{}
	for _, layer := range []any{into, json.RawMessage(own)} {
		data, err := json.Marshal(layer)
		if err != nil {
			return fmt.Errorf("cannot encode settings: %w", err)
		}

		if err := json.Unmarshal(data, &fields); err != nil {
			return fmt.Errorf("cannot decode settings: %w", err)
		}
	}

	data, err := json.Marshal(fields)
	if err != nil {
		return fmt.Errorf("cannot encode settings: %w", err)
	}

	*into = Settings{}

	return json.Unmarshal(data, into)
}

// check says what is missing. The API server has checked a claim without
// environment; with one, it shows only now.
func (c NetworkLoadBalancerSpec) check() error {
	where := ""
	if c.Environment != nil {
		where = fmt.Sprintf(": neither the claim nor EnvironmentConfig %q has it", *c.Environment)
	}

	ownCheck := checkPort(c.HealthCheck) != 0

	for _, missing := range []struct {
		is   bool
		what string
	}{
		{c.Region == nil, "spec.region is required" + where},
		{c.VPCID == nil, "spec.vpcId is required" + where},
		{len(c.SubnetMappings) == 0, "spec.subnetMappings is required" + where},
		{c.Clients == nil || len(c.Clients.CIDRs)+len(c.Clients.PrefixListIDs)+len(c.Clients.SecurityGroupIDs) == 0, "spec.clients is required" + where},
		{c.NodeSecurityGroupID == nil && or(c.ManageNodeRules, true), "spec.nodeSecurityGroupId is required unless manageNodeRules is false" + where},
		{!ownCheck && hasUDP(c.Ports), "spec.healthCheck.port is required with protocols UDP and TCP_UDP" + where},
	} {
		if missing.is {
			return Invalid{missing.what}
		}
	}

	_, err := c.Clients.sources()

	return err
}

func hasUDP(ports []Port) bool {
	for _, p := range ports {
		if p.Protocol == "UDP" || p.Protocol == "TCP_UDP" {
			return true
		}
	}

	return false
}
