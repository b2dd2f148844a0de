package controller

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrlcontroller "sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// A track is a controller whose objects are in the lane that their namespace names, and
// take what the test says.
type track struct {
	*lanes

	t    *testing.T
	take func(ctx context.Context, name string, try int) (reconcile.Result, error)
	stop context.CancelFunc
	over chan struct{}

	mu sync.Mutex
	// tries of each object, and when each began.
	tries map[string][]time.Duration
	// under are those under way, by object and by lane; most the most in a lane.
	under map[string]int
	most  int
	began time.Time
}

// onTrack runs a test with a controller of two workers.
func onTrack(t *testing.T, take func(ctx context.Context, name string, try int) (reconcile.Result, error), test func(*track)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		tr := &track{t: t, take: take, tries: map[string][]time.Duration{}, under: map[string]int{}, over: make(chan struct{}), began: time.Now()}
		tr.lanes = newLanes(reconcile.Func(tr.reconcile), 2, func(_ context.Context, req reconcile.Request) lane {
			return lane{region: req.Namespace}
		})

		retries := newRetries(Retry{})
		retries.visiting = tr.visiting

		// The other queue may leave a goroutine behind when it ends with items in it.
		skip, prioritised := true, false

		c, err := ctrlcontroller.NewUnmanaged("lanes", ctrlcontroller.Options{
			Reconciler: tr.lanes, MaxConcurrentReconciles: 2, RateLimiter: retries,
			SkipNameValidation: &skip, UsePriorityQueue: &prioritised,
		})
		if err != nil {
			t.Fatal(err)
		}

		if err := c.Watch(source.Func(tr.source)); err != nil {
			t.Fatal(err)
		}

		ctx, cancel := context.WithCancel(t.Context())
		tr.stop = cancel

		var running sync.WaitGroup

		running.Go(func() { _ = c.Start(ctx) })
		running.Go(func() { _ = tr.Start(ctx) })

		go func() { running.Wait(); close(tr.over) }()

		synctest.Wait()
		test(tr)
		cancel()
		<-tr.over
	})
}

func (tr *track) reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	tr.mu.Lock()
	tr.tries[req.Name] = append(tr.tries[req.Name], time.Since(tr.began))
	try := len(tr.tries[req.Name])
	tr.under[req.String()]++
	tr.under[req.Namespace]++
	tr.most = max(tr.most, tr.under[req.Namespace])

	if n := tr.under[req.String()]; n > 1 {
		tr.t.Errorf("%s is reconciled %d times at once", req.Name, n)
	}
	tr.mu.Unlock()

	defer func() {
		tr.mu.Lock()
		defer tr.mu.Unlock()

		tr.under[req.String()]--
		tr.under[req.Namespace]--
	}()

	return tr.take(ctx, req.Name, try)
}

func (tr *track) add(in, name string) {
	tr.queue.Add(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: in, Name: name}})
}

// at is when an object was reconciled.
func (tr *track) at(name string) []time.Duration {
	tr.mu.Lock()
	defer tr.mu.Unlock()

	return tr.tries[name]
}

const seconds = time.Second

// hangs for 8 s, as a call does that nobody answers, if the name says so.
func hangs(_ context.Context, name string, _ int) (reconcile.Result, error) {
	if strings.HasPrefix(name, "sick") {
		time.Sleep(8 * seconds)

		return reconcile.Result{}, errors.New("AWS did not answer")
	}

	return reconcile.Result{}, nil
}

func TestALaneThatHangsDelaysNoOther(t *testing.T) {
	onTrack(t, hangs, func(tr *track) {
		for lane := range 5 {
			for i := range 30 {
				tr.add(fmt.Sprint("sick-", lane), fmt.Sprintf("sick-%d-%d", lane, i))
			}
		}

		var slowest time.Duration

		for i := range 100 {
			time.Sleep(700 * time.Millisecond)

			name, asked := fmt.Sprint("well-", i), time.Since(tr.began)
			tr.add("well", name)
			time.Sleep(10 * seconds)

			if at := tr.at(name); len(at) != 1 {
				t.Fatalf("%s was reconciled %d times", name, len(at))
			} else {
				slowest = max(slowest, at[0]-asked)
			}
		}

		// Five lanes of two each take both workers for 2.5 s once.
		if slowest > 3*seconds {
			t.Errorf("an object waited for %s", slowest)
		}

		if tr.most != 2 {
			t.Errorf("%d were under way in a lane, want 2", tr.most)
		}
	})
}

func TestWaitingInALaneIsInTurn(t *testing.T) {
	onTrack(t, hangs, func(tr *track) {
		var want, got []time.Duration
		for i := range 6 {
			tr.add("sick", fmt.Sprint("sick-", i))

			if i > 0 {
				time.Sleep(seconds) // till a worker is there to put it in line
			}
		}

		time.Sleep(20 * seconds)

		for i := range 6 {
			want = append(want, time.Duration(i/2)*8*seconds)
			got = append(got, tr.at(fmt.Sprint("sick-", i))[0])
		}

		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("when each was reconciled first: -want, +got:\n%s", diff)
		}
	})
}

// TestWithoutAWorkerItGoesOnAsWithOne: what a reconcile returns means the same, however
// long it took.
func TestWithoutAWorkerItGoesOnAsWithOne(t *testing.T) {
	const long = 2 * seconds

	failed := errors.New("no")
	cases := map[string]struct {
		reason string
		takes  time.Duration
		result reconcile.Result
		err    error
		panics bool
		// event is when something happens besides; 0 is never.
		event time.Duration
		want  []time.Duration
	}{
		"Done":       {reason: "Nothing is due.", takes: long, want: []time.Duration{0}},
		"DoneSoon":   {reason: "Nothing is due.", want: []time.Duration{0}},
		"Again":      {reason: "It is looked at when it is due.", takes: long, result: reconcile.Result{RequeueAfter: 3 * seconds}, want: []time.Duration{0, 5 * seconds, 10 * seconds, 15 * seconds}},
		"AgainSoon":  {reason: "It is looked at when it is due.", result: reconcile.Result{RequeueAfter: 7 * seconds}, want: []time.Duration{0, 7 * seconds, 14 * seconds}},
		"Failed":     {reason: "Each try waits for twice as long: that a worker leaves is no success.", takes: long, err: failed, want: []time.Duration{0, 3 * seconds, 7 * seconds, 13 * seconds}},
		"FailedSoon": {reason: "Each try waits for twice as long.", err: failed, want: []time.Duration{0, 1 * seconds, 3 * seconds, 7 * seconds, 15 * seconds}},
		"Asks":       {reason: "The runtime has its own way to say that it failed.", takes: long, result: reconcile.Result{Requeue: true}, want: []time.Duration{0, 3 * seconds, 7 * seconds, 13 * seconds}}, //nolint:staticcheck // The runtime still does.
		"Panics":     {reason: "A panic is an error, and ends no process.", takes: long, panics: true, want: []time.Duration{0, 3 * seconds, 7 * seconds, 13 * seconds}},
		"Event":      {reason: "What happens meanwhile is looked at at once, and not at the same time.", takes: long, event: seconds, want: []time.Duration{0, 2 * seconds}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			take := func(context.Context, string, int) (reconcile.Result, error) {
				time.Sleep(tc.takes)

				if tc.panics {
					panic("no")
				}

				return tc.result, tc.err
			}
			onTrack(t, take, func(tr *track) {
				tr.add("lane", "object")

				if tc.event > 0 {
					time.Sleep(tc.event)
					tr.add("lane", "object")
				}

				time.Sleep(16*seconds - tc.event)

				if diff := cmp.Diff(tc.want, tr.at("object")); diff != "" {
					t.Errorf("\n%s\nwhen it was reconciled: -want, +got:\n%s", tc.reason, diff)
				}
			})
		})
	}
}

func TestNothingGoesOnAfterTheEnd(t *testing.T) {
	var ended sync.Map

	take := func(ctx context.Context, name string, _ int) (reconcile.Result, error) {
		<-ctx.Done()

		if name == "alone" {
			time.Sleep(2 * seconds) // it ends when no worker does any more
		}

		time.Sleep(seconds) // a write that is under way
		ended.Store(name, true)

		return reconcile.Result{}, nil
	}
	onTrack(t, take, func(tr *track) {
		tr.add("lane", "alone")
		time.Sleep(seconds)
		tr.add("lane", "attended")
		synctest.Wait()
		tr.stop()
		<-tr.over

		for _, name := range []string{"alone", "attended"} {
			if _, ok := ended.Load(name); !ok {
				t.Errorf("%s goes on when all has ended", name)
			}
		}
	})
}

// TestLanesForgetNothing: whatever happens when, each object is reconciled after the last
// thing that happened to it, no two at a time, and in the end nothing is remembered.
func TestLanesForgetNothing(t *testing.T) {
	for seed := range uint64(30) {
		var mu sync.Mutex

		r := rand.New(rand.NewPCG(seed, 1))
		random := func(n int) int {
			mu.Lock()
			defer mu.Unlock()

			return r.IntN(n)
		}
		take := func(context.Context, string, int) (reconcile.Result, error) {
			time.Sleep(time.Duration(random(1500)) * time.Millisecond)

			switch random(6) {
			case 0:
				return reconcile.Result{}, errors.New("no")
			case 1:
				return reconcile.Result{RequeueAfter: seconds}, nil
			}

			return reconcile.Result{}, nil
		}
		onTrack(t, take, func(tr *track) {
			last := map[string]time.Duration{}

			for range 300 {
				in := fmt.Sprint("lane-", random(3))
				name := fmt.Sprint(in, "-", random(8))
				tr.add(in, name)
				last[name] = time.Since(tr.began)
				time.Sleep(time.Duration(random(300)) * time.Millisecond)
			}

			time.Sleep(time.Hour)

			for name, asked := range last {
				if at := tr.at(name); len(at) == 0 || at[len(at)-1] < asked {
					t.Errorf("seed %d: %s was asked for at %s and reconciled at %v", seed, name, asked, at)
				}
			}

			synctest.Wait()
			tr.lanes.mu.Lock()
			defer tr.lanes.mu.Unlock()

			if tr.most > 2 || len(tr.visits)+len(tr.busy)+len(tr.waiting) > 0 {
				t.Errorf("seed %d: at most %d in a lane; left %v, %v, %v", seed, tr.most, tr.visits, tr.busy, tr.waiting)
			}
		})
	}
}

var _ workqueue.TypedRateLimiter[reconcile.Request] = (*retries)(nil)
