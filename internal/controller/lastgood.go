package controller

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	"github.com/provider-nlb/provider-nlb/internal/aws"
)

// lastGoodFor is how long an observation may stand in for one that AWS does not
// answer: longer than most throttling, short enough to see an outage.
const lastGoodFor = 2 * time.Minute

// lastGood remembers, for each object, the last observation that found its
// generation applied. While AWS cannot be read, for a reason that passes, status
// does not flap between that and an error.
type lastGood struct {
	now func() time.Time

	mu   sync.Mutex
	seen map[types.UID]goodObservation
}

type goodObservation struct {
	at          time.Time
	generation  int64
	observation managed.ExternalObservation
}

func newLastGood(now func() time.Time) *lastGood {
	return &lastGood{now: now, seen: map[types.UID]goodObservation{}}
}

func (l *lastGood) keep(mg resource.Managed, o managed.ExternalObservation) {
	l.mu.Lock()
	defer l.mu.Unlock()

	l.seen[mg.GetUID()] = goodObservation{at: l.now(), generation: mg.GetGeneration(), observation: o}
}

// instead returns the observation that stands in for one that failed.
func (l *lastGood) instead(err error, mg resource.Managed) (managed.ExternalObservation, bool) {
	switch aws.Classify(err) {
	case aws.ClassThrottled, aws.ClassTransient:
	default:
		return managed.ExternalObservation{}, false
	}

	l.mu.Lock()
	defer l.mu.Unlock()

	good, ok := l.seen[mg.GetUID()]
	fresh := ok && good.generation == mg.GetGeneration() && l.now().Sub(good.at) < lastGoodFor

	return good.observation, fresh
}

func (l *lastGood) forget(uid types.UID) {
	l.mu.Lock()
	defer l.mu.Unlock()

	delete(l.seen, uid)
}
