package controller

import (
	"math/rand/v2"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	xpcontroller "github.com/crossplane/crossplane-runtime/v2/pkg/controller"
	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
)

// Options of all controllers.
type Options struct {
	// Options of crossplane-runtime: logger, limiter, poll interval, features,
	// metrics, and the gate that starts a kind when its CRD is there.
	xpcontroller.Options

	// MinPollInterval that a resource may ask for by annotation.
	MinPollInterval time.Duration
	// PollJitter is the fraction by which the poll interval is varied.
	PollJitter float64
	// Timeout of the calls of one reconcile; 0 means the runtime's default of 1 m.
	Timeout time.Duration
	// Connections to AWS.
	Connections *Connections
	// ClusterID that marks what this cluster creates.
	ClusterID string
	// Fatal ends the process. It is called when a kind cannot be set up after its
	// CRD has come.
	Fatal func(error)
}

func (o Options) jitter() float64 { return (rand.Float64()*2 - 1) * o.PollJitter }

func (o Options) interval(mg metav1.Object) time.Duration {
	if d, ok := meta.GetPollInterval(mg); ok {
		return max(d, o.MinPollInterval)
	}

	return o.PollInterval
}
