// Command controlplane is one binary that holds a whole Kubernetes control
// plane: etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok
// (which plays the kubelets). One binary links far faster and is less than half
// the size of five. Its first argument says which part to run; the rest are that
// part's own flags:
//
//	controlplane kube-apiserver --etcd-servers=…
//
// It runs until its standard input ends, so that it never outlives its starter.
package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // client metrics of the components
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

// components maps a part's name to what runs it and returns its exit code.
var components = map[string]func() int{
	"kube-apiserver":          func() int { return run(apiserver.NewAPIServerCommand()) },
	"kube-controller-manager": func() int { return run(controllermanager.NewControllerManagerCommand()) },
	"kube-scheduler":          func() int { return run(scheduler.NewSchedulerCommand()) },
	"etcd":                    runEtcd,
	"kwok":                    runKwok,
	"kwok-stages":             printKwokStages,
}

func run(command *cobra.Command) int { return cli.Run(command) }

func main() {
	if len(os.Args) < 2 || components[os.Args[1]] == nil {
		names := slices.Sorted(maps.Keys(components))
		fmt.Fprintln(os.Stderr, "usage: controlplane COMPONENT [flags]; COMPONENT is one of "+strings.Join(names, ", "))
		os.Exit(2)
	}
	// Each component parses os.Args itself.
	os.Args = os.Args[1:]
	if os.Args[0] != "kwok-stages" {
		go endWithStdin()
	}
	os.Exit(components[os.Args[0]]())
}
