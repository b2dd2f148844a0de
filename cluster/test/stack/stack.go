// Package stack starts everything that the main job needs, on loopback: the real
// local control plane, the simulated AWS, and the provider as a process of its
// own with the rights of its ServiceAccount. The demo and the end-to-end tests
// stand on it.
package stack

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	k8sruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cluster "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/cluster/local"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// Where things are, in Kubernetes and in AWS.
const (
	Namespace = "crossplane-system"
	Region    = "eu-west-1"
	VPC       = "vpc-0a1b2c3d4e5f60718"
)

// Zones that nodes are spread over.
var Zones = []string{"eu-west-1a", "eu-west-1b", "eu-west-1c"}

// rights are what Crossplane's RBAC manager gives a provider's ServiceAccount.
//
//go:embed rights.yaml
var rights []byte

// Options of a Stack.
type Options struct {
	// Nodes to add, each with a running EC2 instance.
	Nodes int
	// AWS to simulate.
	AWS awssim.Options
	// Log is where builds tell of their progress; standard error by default.
	Log io.Writer
	// Parts of the control plane; everything by default.
	Parts local.Parts
	// ClusterID of the provider; "local" by default.
	ClusterID string
	// Beside is another cluster, whose AWS and whose build of the provider this one
	// uses, too. It must be stopped later.
	Beside *Stack
	// WithoutPermissions leaves out what a binding needs to read, so that a test
	// can grant it later.
	WithoutPermissions bool
	// Bare leaves out what Crossplane installs: CRDs, rights, configurations, and
	// the provider's program.
	Bare bool
	// Quiet starts the provider as a package does, without --debug.
	Quiet bool
	// Guarded puts the nodes into their security group. AWS then reaches only those
	// ports that its rules open; without it, all.
	Guarded bool
}

// A Stack is a control plane, a simulated AWS and a provider.
type Stack struct {
	*local.ControlPlane
	Sim *awssim.Sim

	options  Options
	client   client.Client
	binary   string
	provider *provider
}

// Start starts the control plane and AWS, and prepares what the provider needs.
// StartProvider starts it.
func Start(ctx context.Context, o Options) (_ *Stack, err error) {
	if o.Log == nil {
		o.Log = os.Stderr
	}
	if o.ClusterID == "" {
		o.ClusterID = "local"
	}
	s := &Stack{options: o}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop())
		}
	}()
	if s.ControlPlane, err = local.Start(ctx, local.Options{Log: o.Log, Parts: o.Parts}); err != nil {
		return nil, err
	}
	if s.client, err = newClient(s.Config()); err != nil {
		return nil, err
	}
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	if !o.Bare {
		if err := s.install(ctx, o); err != nil {
			return nil, err
		}
	}
	return s, s.AddInstances(ctx, local.Nodes("node", o.Nodes, Zones...)...)
}

// prepare starts AWS and builds the provider, or takes another cluster's.
func (s *Stack) prepare(ctx context.Context) (err error) {
	if other := s.options.Beside; other != nil {
		s.Sim, s.binary = other.Sim, other.binary
		return nil
	}
	s.Sim = awssim.New(s.options.AWS)
	if _, err := s.Sim.Start(); err != nil {
		return err
	}
	s.SeedNetwork(Region)
	if s.options.Bare {
		return nil
	}
	s.binary, err = build(ctx, s.Dir(), s.options.Log)
	return err
}

// Client is the admin's client, which knows our kinds too.
func (s *Stack) Client() client.Client { return s.client }

func newClient(cfg *rest.Config) (client.Client, error) {
	types := k8sruntime.NewScheme()
	for _, add := range []func(*k8sruntime.Scheme) error{scheme.AddToScheme, namespaced.AddToScheme, cluster.AddToScheme} {
		if err := add(types); err != nil {
			return nil, err
		}
	}
	return client.New(cfg, client.Options{Scheme: types})
}

// install applies the CRDs, the provider's rights, and its credentials.
func (s *Stack) install(ctx context.Context, o Options) error {
	crds, err := filepath.Glob(Path("package/provider/crds/*.yaml"))
	if err != nil {
		return err
	}
	if err := s.ApplyFiles(ctx, crds...); err != nil {
		return err
	}
	if err := s.Apply(ctx, rights, s.account()); err != nil {
		return err
	}
	if o.WithoutPermissions {
		return nil
	}
	return s.GrantPermissions(ctx)
}

// GrantPermissions applies the documented manifest of what a binding reads.
func (s *Stack) GrantPermissions(ctx context.Context) error {
	return s.ApplyFiles(ctx, Path(permissions))
}

// account is the credentials Secret and the default configurations of both
// scopes, which lead to the simulated AWS.
func (s *Stack) account() []byte {
	return fmt.Appendf(nil, accountTemplate, Namespace,
		awssim.DefaultKey.ID, awssim.DefaultKey.Secret, s.Sim.URL())
}

const accountTemplate = `
apiVersion: v1
kind: Secret
metadata: {namespace: %[1]s, name: aws-credentials}
stringData:
  credentials: |
    [default]
    aws_access_key_id = %[2]s
    aws_secret_access_key = %[3]s
---
apiVersion: nlb.m.crossplane.io/v1alpha1
kind: ClusterProviderConfig
metadata: {name: default}
spec:
  credentials: {source: Secret, secretRef: {namespace: %[1]s, name: aws-credentials, key: credentials}}
  endpoint: {url: "%[4]s"}
---
apiVersion: nlb.crossplane.io/v1alpha1
kind: ProviderConfig
metadata: {name: default}
spec:
  credentials: {source: Secret, secretRef: {namespace: %[1]s, name: aws-credentials, key: credentials}}
  endpoint: {url: "%[4]s"}
`

// permissions is the documented manifest of what a binding reads.
const permissions = "examples/gitops/packages/rbac.yaml"

// RevokePermissions removes what GrantPermissions grants. A watch that is open
// stays open, so it takes a new process to notice.
func (s *Stack) RevokePermissions(ctx context.Context) error {
	for _, o := range []client.Object{&rbacv1.ClusterRoleBinding{}, &rbacv1.ClusterRole{}} {
		o.SetName("provider-nlb")
		if err := client.IgnoreNotFound(s.Client().Delete(ctx, o)); err != nil {
			return err
		}
	}
	return nil
}

// AddInstances adds nodes and the EC2 instances that they run on.
func (s *Stack) AddInstances(ctx context.Context, specs ...local.NodeSpec) error {
	return s.addInstances(ctx, s.options.Guarded, specs)
}

// AddGuardedInstances adds nodes whose instances are in the nodes' security group.
func (s *Stack) AddGuardedInstances(ctx context.Context, specs ...local.NodeSpec) error {
	return s.addInstances(ctx, true, specs)
}

func (s *Stack) addInstances(ctx context.Context, guarded bool, specs []local.NodeSpec) error {
	if len(specs) == 0 {
		return nil
	}
	// An instance is there before its node is: whoever registers it earlier is refused.
	for _, spec := range specs {
		instance := awssim.Instance{ID: spec.Instance(), Region: Region, Zone: spec.Zone, VPC: VPC}
		if guarded {
			instance.SecurityGroups = []string{NodeGroup}
		}
		s.Sim.SeedInstance(instance)
	}
	return s.AddNodes(ctx, specs...)
}

// InstanceID of a node: the last part of its provider id.
func InstanceID(n *corev1.Node) string { return filepath.Base(n.Spec.ProviderID) }

// LabelNodes sets a label on nodes.
func (s *Stack) LabelNodes(ctx context.Context, key, value string, names ...string) error {
	for _, name := range names {
		patch := fmt.Appendf(nil, `{"metadata":{"labels":{%q:%q}}}`, key, value)
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if err := s.Client().Patch(ctx, node, client.RawPatch("application/merge-patch+json", patch)); err != nil {
			return err
		}
	}
	return nil
}

// Instances are the ids of the instances that run the pods that match, sorted:
// what AWS should have.
func (s *Stack) Instances(ctx context.Context, namespace string, labels client.MatchingLabels) ([]string, error) {
	pods := &corev1.PodList{}
	if err := s.Client().List(ctx, pods, client.InNamespace(namespace), labels); err != nil {
		return nil, err
	}
	var ids []string
	for _, p := range pods.Items {
		node := &corev1.Node{}
		if p.Spec.NodeName == "" || s.Client().Get(ctx, client.ObjectKey{Name: p.Spec.NodeName}, node) != nil {
			continue
		}
		if id := InstanceID(node); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// Stop stops the provider, AWS and the control plane.
func (s *Stack) Stop() error {
	var errs []error
	if s.provider != nil {
		errs = append(errs, s.StopProvider())
	}
	if s.Sim != nil && s.options.Beside == nil {
		s.Sim.Close()
	}
	if s.ControlPlane != nil {
		errs = append(errs, s.ControlPlane.Stop())
	}
	return errors.Join(errs...)
}

// Path of a file of this repository.
func Path(name string) string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "../../..", filepath.FromSlash(name))
}
