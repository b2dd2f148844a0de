package controller

import (
	"context"
	"maps"
	"sync"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crossplane/crossplane-runtime/v2/pkg/errors"
	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/aws"
)

// ConnectionsOptions are what Connections need.
type ConnectionsOptions struct {
	// Client reads provider configurations from the cache and writes usages.
	Client client.Client
	// Direct reads from no cache: Secrets, of which a changed one is used at once, and
	// provider configurations that the cache may not have yet.
	Direct client.Reader
	// Pool of AWS clients.
	Pool *aws.Pool
	// TrustNamespaced lets namespaced ProviderConfigs use the provider's own
	// identity and other endpoints (--namespaced-provider-configs=trusted).
	TrustNamespaced bool
}

// Connections to AWS, by the provider configuration that an object names.
type Connections struct {
	client client.Client
	direct client.Reader
	pool   *aws.Pool
	trust  bool

	mu sync.Mutex
	// last configuration that was complete, by name. When a namespace is deleted
	// its Secrets go first; what is in AWS must still be deleted.
	last map[configKey]aws.Config
}

// NewConnections returns connections.
func NewConnections(o ConnectionsOptions) *Connections {
	return &Connections{
		client: o.Client, direct: o.Direct, pool: o.Pool, trust: o.TrustNamespaced,
		last: map[configKey]aws.Config{},
	}
}

// A Connection is an object's access to AWS.
type Connection struct {
	*aws.Access

	// Config that the access was made from.
	Config aws.Config
	// DefaultTags of the provider configuration.
	DefaultTags map[string]string
}

// Connect an object to AWS in a region. It records that the object uses its
// provider configuration. Resolve references first: an object that waits for one
// needs no connection.
func (c *Connections) Connect(ctx context.Context, mg resource.Managed, region string) (*Connection, error) {
	if err := c.track(ctx, mg); err != nil {
		return nil, err
	}

	pc, err := c.config(ctx, mg)
	if err != nil {
		return nil, err
	}

	cfg, err := c.complete(ctx, pc, meta.WasDeleted(mg))
	if err != nil {
		return nil, errors.Wrapf(err, "%s", pc.configKey)
	}

	access, err := c.pool.Access(ctx, cfg, region)

	switch {
	case aws.Classify(err) == aws.ClassInvalidRegion:
		return nil, Stalled{Reason: ReasonInvalid, Message: aws.Describe(err)}
	case err != nil:
		return nil, errors.Wrapf(aws.Wrap(err), "%s", pc.configKey)
	}

	return &Connection{Access: access, Config: cfg, DefaultTags: plain(pc.spec.DefaultTags)}, nil
}

// complete reads what the configuration names.
func (c *Connections) complete(ctx context.Context, pc *providerConfig, deleting bool) (aws.Config, error) {
	if err := pc.allowed(c.trust); err != nil {
		return aws.Config{}, err
	}

	cfg, err := pc.read(ctx, c.direct)

	c.mu.Lock()
	defer c.mu.Unlock()

	var missing missingSecret
	if last, ok := c.last[pc.configKey]; ok && deleting && errors.As(err, &missing) {
		return last, nil
	}

	if err != nil {
		return aws.Config{}, err
	}

	c.last[pc.configKey] = cfg

	return cfg, nil
}

func plain(tags map[string]v1alpha1.TagValue) map[string]string {
	out := make(map[string]string, len(tags))
	for k, v := range maps.All(tags) {
		out[k] = string(v)
	}

	return out
}
