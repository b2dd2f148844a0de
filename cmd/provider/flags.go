package main

import (
	"time"

	"github.com/spf13/pflag"
)

// flags of the command line. They have the names that other providers use.
type flags struct {
	version    bool
	debug      bool
	kubeconfig string

	leaderElection          bool
	leaderElectionNamespace string
	leaseDuration           time.Duration
	renewDeadline           time.Duration

	syncInterval             time.Duration
	pollInterval             time.Duration
	pollJitterPercentage     int
	minPollInterval          time.Duration
	pollStateMetricInterval  time.Duration
	maxReconcileRate         int
	enableManagementPolicies bool

	enableChangeLogs bool
	changeLogsSocket string

	metricsBindAddress     string
	healthProbeBindAddress string

	podNamespace             string
	clusterID                string
	namespacedProviderConfig string

	awsAPIShare  int
	awsFIPS      bool
	awsDualStack bool

	deregistration string
	hostPorts      bool
}

// set of all flags, with their defaults.
func (f *flags) set() *pflag.FlagSet {
	fs := pflag.NewFlagSet(program, pflag.ContinueOnError)
	fs.SortFlags = false
	fs.BoolVar(&f.version, "version", false, "Show the version.")

	fs.BoolVarP(&f.debug, "debug", "d", false, "Log debug messages.")
	fs.StringVar(&f.kubeconfig, "kubeconfig", "", "Kubeconfig file. Default: KUBECONFIG, the pod's service account, or ~/.kube/config.")

	fs.BoolVarP(&f.leaderElection, "leader-election", "l", false, "Let one of several replicas work.")
	fs.StringVar(&f.leaderElectionNamespace, "leader-election-namespace", "", "Namespace of the lease. Default: the pod's.")
	fs.DurationVar(&f.leaseDuration, "leader-election-lease-duration", 15*time.Second, "How long a lease lasts that is not renewed.")
	fs.DurationVar(&f.renewDeadline, "leader-election-renew-deadline", 10*time.Second, "How long a leader tries to renew its lease.")

	fs.DurationVarP(&f.syncInterval, "sync", "s", time.Hour, "How often caches are compared with the API server.")
	fs.DurationVar(&f.pollInterval, "poll", 10*time.Minute, "How often a resource is compared with AWS.")
	fs.IntVar(&f.pollJitterPercentage, "poll-jitter-percentage", 10, "By how much the poll interval is varied.")
	fs.DurationVar(&f.minPollInterval, "min-poll-interval", 30*time.Second, "The shortest poll interval that a resource may ask for by annotation crossplane.io/poll-interval.")
	fs.DurationVar(&f.pollStateMetricInterval, "poll-state-metric", 30*time.Second, "How often state metrics are recorded.")
	fs.IntVar(&f.maxReconcileRate, "max-reconcile-rate", 100, "How many reconciles may start per second, and how many may run per kind, at most 20.")
	fs.BoolVar(&f.enableManagementPolicies, "enable-management-policies", true, "Support spec.managementPolicies.")
	fs.BoolVar(&f.enableChangeLogs, "enable-changelogs", false, "Tell a sidecar of each change that is made in AWS (alpha).")
	fs.StringVar(&f.changeLogsSocket, "changelogs-socket-path", "/var/run/changelogs/changelogs.sock", "Socket that the sidecar listens on.")

	fs.StringVar(&f.metricsBindAddress, "metrics-bind-address", ":8080", "Address of the metrics endpoint; 0 disables it.")
	fs.StringVar(&f.healthProbeBindAddress, "health-probe-bind-addr", ":8081", "Address of /healthz and /readyz.")

	fs.StringVar(&f.podNamespace, "pod-namespace", "crossplane-system", "Namespace of the provider, where the cluster's id and the lease are kept.")
	fs.StringVar(&f.clusterID, "cluster-id", "", "Id that marks what this cluster creates in AWS. Default: a random one, kept in ConfigMap provider-nlb-identity.")
	fs.Var(oneOf(&f.namespacedProviderConfig, "restricted", "trusted"), "namespaced-provider-configs", "restricted: namespaced ProviderConfigs have no part in the provider's own identity and no endpoint; trusted: they may.")

	fs.IntVar(&f.awsAPIShare, "aws-api-share", 50, "Percentage that this cluster uses of what AWS grants an account and region for all ELBv2 calls together and for reads; half as much of EC2's.")
	fs.BoolVar(&f.awsFIPS, "aws-fips", false, "Use AWS's FIPS endpoints.")
	fs.BoolVar(&f.awsDualStack, "aws-dual-stack", false, "Use AWS's dual-stack endpoints.")

	fs.Var(oneOf(&f.deregistration, "on", "off"), "deregistration", "off keeps every target registered: a brake.")
	fs.BoolVar(&f.hostPorts, "host-ports", false, "Also bind pods that are not hostNetwork and have a hostPort. All pods are then watched.")

	return fs
}

// validate what a flag alone cannot.
func (f *flags) validate() error {
	switch {
	case f.pollInterval <= 0:
		return errFlag("poll", "must be more than 0")
	case f.minPollInterval <= 0:
		return errFlag("min-poll-interval", "must be more than 0")
	case f.pollStateMetricInterval < 30*time.Second:
		return errFlag("poll-state-metric", "must be at least 30s: each recording lists every resource")
	case f.pollJitterPercentage < 0 || f.pollJitterPercentage > 50:
		return errFlag("poll-jitter-percentage", "must be from 0 to 50")
	case f.maxReconcileRate < 1:
		return errFlag("max-reconcile-rate", "must be at least 1")
	case f.awsAPIShare < 1 || f.awsAPIShare > 100:
		return errFlag("aws-api-share", "must be from 1 to 100")
	case f.renewDeadline >= f.leaseDuration:
		return errFlag("leader-election-renew-deadline", "must be less than --leader-election-lease-duration")
	}

	return nil
}
