package main

import (
	"time"

	"github.com/alecthomas/kingpin/v2"
)

// flags of the command line. They have the names that other providers use.
type flags struct {
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

func newApp(f *flags) *kingpin.Application {
	app := kingpin.New("provider-nlb", "Crossplane provider for AWS Network Load Balancers.").DefaultEnvars()
	app.Version(version)

	app.Flag("debug", "Log debug messages.").Short('d').BoolVar(&f.debug)
	app.Flag("kubeconfig", "Kubeconfig file. Default: KUBECONFIG, the pod's service account, or ~/.kube/config.").StringVar(&f.kubeconfig)

	app.Flag("leader-election", "Let one of several replicas work.").Short('l').Envar("LEADER_ELECTION").BoolVar(&f.leaderElection)
	app.Flag("leader-election-namespace", "Namespace of the lease. Default: the pod's.").StringVar(&f.leaderElectionNamespace)
	app.Flag("leader-election-lease-duration", "How long a lease lasts that is not renewed.").Default("15s").DurationVar(&f.leaseDuration)
	app.Flag("leader-election-renew-deadline", "How long a leader tries to renew its lease.").Default("10s").DurationVar(&f.renewDeadline)

	app.Flag("sync", "How often caches are compared with the API server.").Short('s').Default("1h").DurationVar(&f.syncInterval)
	app.Flag("poll", "How often a resource is compared with AWS.").Default("10m").DurationVar(&f.pollInterval)
	app.Flag("poll-jitter-percentage", "By how much the poll interval is varied.").Default("10").IntVar(&f.pollJitterPercentage)
	app.Flag("min-poll-interval", "The shortest poll interval that a resource may ask for by annotation crossplane.io/poll-interval.").Default("30s").DurationVar(&f.minPollInterval)
	app.Flag("poll-state-metric", "How often state metrics are recorded.").Default("30s").DurationVar(&f.pollStateMetricInterval)
	app.Flag("max-reconcile-rate", "How many reconciles may start per second, and how many may run per kind, at most 50.").Default("100").IntVar(&f.maxReconcileRate)
	app.Flag("enable-management-policies", "Support spec.managementPolicies.").Default("true").Envar("ENABLE_MANAGEMENT_POLICIES").BoolVar(&f.enableManagementPolicies)
	app.Flag("enable-changelogs", "Tell a sidecar of each change that is made in AWS (alpha).").Envar("ENABLE_CHANGE_LOGS").BoolVar(&f.enableChangeLogs)
	app.Flag("changelogs-socket-path", "Socket that the sidecar listens on.").Default("/var/run/changelogs/changelogs.sock").Envar("CHANGELOGS_SOCKET_PATH").StringVar(&f.changeLogsSocket)

	app.Flag("metrics-bind-address", "Address of the metrics endpoint; 0 disables it.").Default(":8080").StringVar(&f.metricsBindAddress)
	app.Flag("health-probe-bind-addr", "Address of /healthz and /readyz.").Default(":8081").StringVar(&f.healthProbeBindAddress)

	app.Flag("pod-namespace", "Namespace of the provider, where the cluster's id and the lease are kept.").Default("crossplane-system").Envar("POD_NAMESPACE").StringVar(&f.podNamespace)
	app.Flag("cluster-id", "Id that marks what this cluster creates in AWS. Default: a random one, kept in ConfigMap provider-nlb-identity.").StringVar(&f.clusterID)
	app.Flag("namespaced-provider-configs", "restricted: namespaced ProviderConfigs have no part in the provider's own identity and no endpoint; trusted: they may.").
		Default("restricted").EnumVar(&f.namespacedProviderConfig, "restricted", "trusted")

	app.Flag("aws-api-share", "Percentage that this cluster uses of what AWS grants an account and region for all ELBv2 calls together and for reads; half as much of EC2's.").
		Default("50").IntVar(&f.awsAPIShare)
	app.Flag("aws-fips", "Use AWS's FIPS endpoints.").BoolVar(&f.awsFIPS)
	app.Flag("aws-dual-stack", "Use AWS's dual-stack endpoints.").BoolVar(&f.awsDualStack)

	app.Flag("deregistration", "off keeps every target registered: a brake.").Default("on").EnumVar(&f.deregistration, "on", "off")
	app.Flag("host-ports", "Also bind pods that are not hostNetwork and have a hostPort. All pods are then watched.").BoolVar(&f.hostPorts)

	return app
}

// validate what kingpin cannot.
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
