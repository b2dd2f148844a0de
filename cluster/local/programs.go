package local

import (
	"fmt"
	"slices"
	"strings"
)

// Program is one binary that is built from a module which pins it and all that it
// is made of. None of them is a dependency of the provider.
type Program struct {
	// name of the binary.
	name string
	// module is the directory of the module, in cluster/local.
	module string
	// pkg is the main package: the module's own, or one that it requires.
	pkg string
	// values of string variables that the linker sets, by their full names.
	values map[string]string
	// files are directories of pkg's module to keep beside the binary.
	files []string
	// toolchain of Go that builds it, if it needs a newer one than everything else.
	toolchain string
	// about says what is in it, and takes how long the build takes.
	about, takes string
}

// controlPlane is what every control plane runs.
var controlPlane = Program{
	name: "controlplane", module: "controlplane",
	pkg: "github.com/provider-nlb/provider-nlb/cluster/local/controlplane",
	// Without them the components take themselves for v0.0.0 and refuse some of
	// their own features.
	values: map[string]string{
		"k8s.io/component-base/version.gitVersion": "v1.37.2",
		"k8s.io/component-base/version.gitMajor":   "1",
		"k8s.io/component-base/version.gitMinor":   "37",
	},
	about: "etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok", takes: "about 8 minutes",
}

// Programs that can run beside a control plane. Each is built when it is first
// asked for.
var (
	// Crossplane is Crossplane's core and its RBAC manager.
	Crossplane = Program{
		name: "crossplane", module: "programs/crossplane",
		pkg: "github.com/crossplane/crossplane/v2/cmd/crossplane",
		values: map[string]string{
			// Packages say which versions of Crossplane they work with.
			"github.com/crossplane/crossplane-runtime/v2/pkg/version.version": "v2.4.0",
			// The RBAC manager has no flag for its metrics, which would take port
			// 8080 of all addresses, once for each control plane.
			"sigs.k8s.io/controller-runtime/pkg/metrics/server.DefaultBindAddress": "0",
		},
		files: []string{"cluster/crds", "cluster/webhookconfigurations", "cluster/charts"},
		about: "Crossplane", takes: "about 5 minutes",
	}
	// PatchAndTransform is a composition function.
	PatchAndTransform = Program{
		name: "function-patch-and-transform", module: "programs/patch-and-transform",
		pkg:   "github.com/crossplane-contrib/function-patch-and-transform",
		files: []string{"package"},
		about: "function-patch-and-transform", takes: "about 3 minutes",
	}
	// AutoReady is a composition function.
	AutoReady = Program{
		name: "function-auto-ready", module: "programs/auto-ready",
		pkg:   "github.com/crossplane/function-auto-ready",
		files: []string{"package"},
		about: "function-auto-ready", takes: "about 2 minutes",
	}
	// SourceController is Flux's: it fetches commits from Git.
	SourceController = Program{
		name: "source-controller", module: "programs/source-controller",
		pkg:   "github.com/fluxcd/source-controller",
		files: []string{"config/crd/bases", "config/rbac"},
		about: "Flux's source-controller", takes: "about 6 minutes",
	}
	// KustomizeController is Flux's: it applies what is in Git.
	KustomizeController = Program{
		name: "kustomize-controller", module: "programs/kustomize-controller",
		pkg:   "github.com/fluxcd/kustomize-controller",
		files: []string{"config/crd/bases", "config/rbac"},
		about: "Flux's kustomize-controller", takes: "about 4 minutes",
	}
	// ArgoCD is all of Argo CD. What it is depends on ARGOCD_BINARY_NAME.
	ArgoCD = Program{
		name: "argocd", module: "programs/argocd",
		pkg: "github.com/argoproj/argo-cd/v3/cmd",
		files: []string{
			"manifests/crds", "manifests/base/config",
			"manifests/base/application-controller-roles", "manifests/cluster-rbac/application-controller",
			"hack",
		},
		toolchain: "go1.27.0",
		about:     "Argo CD", takes: "about 11 minutes",
	}
	// Kustomize is what Argo CD's repo-server calls.
	Kustomize = Program{
		name: "kustomize", module: "programs/kustomize",
		pkg:   "sigs.k8s.io/kustomize/kustomize/v5",
		about: "kustomize", takes: "half a minute",
	}
	// Redis is the cache that Argo CD needs, in memory.
	Redis = Program{
		name: "redis", module: "programs/redis",
		pkg:   "github.com/provider-nlb/provider-nlb/cluster/local/programs/redis",
		about: "miniredis", takes: "half a minute",
	}
)

// Beside are the programs that most tests run beside a control plane.
func Beside() []Program { return []Program{Crossplane, PatchAndTransform, AutoReady} }

// ForFlux are the programs that Flux consists of.
func ForFlux() []Program { return []Program{SourceController, KustomizeController} }

// ForArgoCD are the programs that Argo CD consists of.
func ForArgoCD() []Program { return []Program{ArgoCD, Kustomize, Redis} }

// Name of the program.
func (p Program) Name() string { return p.name }

// flags are the go build flags.
func (p Program) flags() []string {
	link := []string{"-s", "-w"}
	for name, value := range p.values {
		link = append(link, fmt.Sprintf("-X=%s=%s", name, value))
	}
	slices.Sort(link)
	return []string{"-trimpath", "-ldflags", strings.Join(link, " ")}
}
