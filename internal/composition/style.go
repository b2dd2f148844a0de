package composition

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	group      = "edge.nlb.crossplane.io"
	apiVersion = group + "/v1alpha1"

	kindBalancer = "NetworkLoadBalancer"
	kindPort     = "NetworkLoadBalancerPort"

	// labelClaim is on everything that belongs to a load balancer, nested or not.
	labelClaim = group + "/name"
	// labelPort is on what belongs to one port of it.
	labelPort = group + "/port"
)

// A style is how the kinds of a composite resource and of its resources look:
// namespaced, or legacy and cluster-scoped. It is all that differs between them.
type style struct {
	// kind of the composite resource, and the prefix of its style's kinds.
	kind, prefix string
	// legacy composite resources are cluster-scoped, and so are their resources.
	legacy bool
	// name of the composite resource.
	name string
	// namespace of the claim; the composite resource's own one, but for legacy ones.
	namespace string
	// claim is the name of a legacy claim.
	claim  string
	labels map[string]string
}

// A head is what every object has.
type head struct {
	Kind     string            `json:"kind"`
	Metadata metav1.ObjectMeta `json:"metadata"`
}

func styleOf(composite Object) (style, error) {
	h, err := decode[head](composite)
	if err != nil {
		return style{}, err
	}

	s := style{kind: h.Kind, name: h.Metadata.Name, namespace: h.Metadata.Namespace, labels: h.Metadata.Labels}
	if strings.HasPrefix(h.Kind, "X"+kindBalancer) {
		s.legacy, s.prefix = true, "X"
		s.namespace, s.claim = h.Metadata.Labels["crossplane.io/claim-namespace"], h.Metadata.Labels["crossplane.io/claim-name"]
	}

	return s, nil
}

// maxBase leaves room for what is appended to it: the name of a composite resource
// has at most 63 characters.
const maxBase = 40

// base begins the names of all resources of a load balancer. It depends on what is
// in Git only, so that a rebuilt cluster finds again in AWS what the former one
// made: a legacy composite resource has a random name, its claim has not.
func (s style) base() string {
	if s.legacy && s.claim != "" {
		return shortened(s.namespace+"-"+s.claim, s.namespace+"/"+s.claim)
	}

	if len(s.name) <= maxBase {
		return s.name
	}

	return shortened(s.name, s.name)
}

// shortened is a readable beginning, and a hash of what must be told apart.
func shortened(readable, identity string) string {
	sum := sha256.Sum256([]byte(identity))
	hash := hex.EncodeToString(sum[:])[:8]

	if most := maxBase - 1 - len(hash); len(readable) > most {
		readable = strings.TrimRight(readable[:most], "-.")
	}

	return readable + "-" + hash
}

// object returns an object of a group's version and kind in this style.
func (s style) object(apiVersion, kind, name string, labels map[string]string, spec any) (Object, error) {
	body, err := encode(spec)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", kind, name, err)
	}

	metadata := Object{"name": name}
	if !s.legacy {
		metadata["namespace"] = s.namespace
	}

	if len(labels) > 0 {
		l := Object{}
		for k, v := range labels {
			l[k] = v
		}

		metadata["labels"] = l
	}

	return Object{"apiVersion": apiVersion, "kind": kind, "metadata": metadata, "spec": body}, nil
}

// managed returns a managed resource of this style.
func (s style) managed(kind, name string, labels map[string]string, config *ProviderConfigReference, parameters any) (Object, error) {
	spec := struct {
		ProviderConfigRef *ProviderConfigReference `json:"providerConfigRef,omitempty"`
		ForProvider       any                      `json:"forProvider"`
	}{ForProvider: parameters}

	apiVersion := "nlb.m.crossplane.io/v1alpha1"
	if s.legacy {
		apiVersion = "nlb.crossplane.io/v1alpha1"
	}

	if config != nil {
		kind := or(config.Kind, "ClusterProviderConfig")
		spec.ProviderConfigRef = &ProviderConfigReference{Kind: &kind, Name: config.Name}

		if s.legacy {
			spec.ProviderConfigRef.Kind = nil
		}
	}

	return s.object(apiVersion, kind, name, labels, spec)
}
