package histories

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/binder"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

const (
	region    = "eu-west-1"
	zoneA     = "eu-west-1a"
	zoneB     = "eu-west-1b"
	vpc       = "vpc-0a1b2c3d"
	namespace = "edge"
	// tick is how often the controllers of Kubernetes look, and judges do.
	tick = 2 * time.Second
	// checkEvery is the interval of the groups' health checks.
	checkEvery = 10 * time.Second
	// latency is what a call to AWS takes.
	latency = 60 * time.Millisecond
)

var zones = []string{zoneA, zoneB}

// agenda is what will happen, in order.
type agenda struct{ items []item }

type item struct {
	at time.Time
	do func()
}

func (a *agenda) after(d time.Duration, do func()) {
	at := time.Now().Add(d)
	i, _ := slices.BinarySearchFunc(a.items, at, func(it item, at time.Time) int {
		if it.at.After(at) {
			return 1
		}
		return -1
	})
	a.items = slices.Insert(a.items, i, item{at, do})
}

// world is everything: AWS, Kubernetes, bindings and the process that serves them.
type world struct {
	t       *testing.T
	profile awssim.Profile
	// failsCheck has the ports whose processes fail their health check before they
	// end.
	failsCheck map[int32]bool

	// mu guards what is below, and what Kubernetes is.
	mu sync.Mutex
	kube
	agenda   agenda
	bindings []*binding
	process  *process
	// restart is when the process that was killed is started again.
	restart time.Time
	judges  judges
	users   []*user
	verdict []string
	// heard are the Events of the bindings.
	hearing sync.Mutex
	heard   []string
	// gates has what AWS called healthy when a gate was looked at last.
	gates struct {
		at      time.Time
		healthy map[awssim.Key]bool
	}
	// leaving is how many nodes are about to go, or not.
	leaving int
	// undos end what goes on; title says which world it is.
	undos []func()
	title func() string
}

// binding is a TargetGroupBinding as the API server has it.
type binding struct {
	name    string
	uid     types.UID
	service string
	group   targets.Group
	drain   time.Duration
	policy  targets.Policy
	created time.Time
	// deleted has a deletionTimestamp; gone is removed.
	deleted, gone bool
	generation    int64
	// What status has recorded.
	ports      []int32
	owns       map[targets.Key]bool
	conditions []binder.Condition
	// edited is when the spec changed last.
	edited time.Time
	key    awssim.AccessKey
	region string
	// poll is the interval at which the quiet group is read; 0 is the default.
	poll time.Duration
	// port of its Service's pods.
	port int32
	// held is since when annotation hold is true, zero if it is not; released is when
	// it was taken away last. approved is annotation approve.
	held, released time.Time
	approved       string
	// consented is when somebody approved what the Guard held then.
	consented time.Time
}

// inWorld lets a story happen in a bubble of its own. Its judges see everything.
func inWorld(t *testing.T, profile awssim.Profile, story func(w *world)) {
	t.Helper()
	inWorldOf(t, awssim.Options{Profile: profile}, story)
}

// inWorldOf is inWorld with another kind of AWS.
func inWorldOf(t *testing.T, o awssim.Options, story func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, o)
		defer w.close()
		story(w)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.judgeUsers()
		for _, v := range w.verdict[:min(len(w.verdict), 10)] {
			t.Error(v)
		}
		if t.Failed() {
			t.Log(w.title() + "\n" + w.calls())
		}
	})
}

func newWorld(t *testing.T, o awssim.Options) *world {
	w := &world{t: t, title: t.Name, profile: o.Profile, failsCheck: map[int32]bool{}}
	o.RefuseByDefault, o.TokenBuckets, o.Latency, o.OnCall = true, true, latency, w.onCall
	w.sim = awssim.New(o)
	w.judges = newJudges()
	gate := w.patchGate
	w.kube = kube{
		api: newAPIServer(gate), sim: w.sim, clock: &w.agenda,
		pods: map[types.UID]*running{}, services: map[string]*corev1.Service{}, edited: map[string]time.Time{},
	}
	w.went = func(p *running) { w.judges.last[p.key()] = departed{p.app, time.Now()} }
	w.quit = func(p *running) { w.judges.down[p.key()] = ending{p.ended, time.Now(), p.app.daemonSet} }
	w.start()
	w.beat()
	return w
}

func (w *world) close() {
	w.process.kill()
	w.api.cut()
	w.sim.Close()
}

// beat lets controllers and judges look.
func (w *world) beat() {
	for _, c := range w.controllers {
		c.sync(&w.kube)
	}
	w.look()
	w.agenda.after(tick, w.beat)
}

// run lets a time pass.
func (w *world) run(d time.Duration) {
	end := time.Now().Add(d)
	for {
		w.mu.Lock()
		for len(w.agenda.items) > 0 && !w.agenda.items[0].at.After(time.Now()) {
			next := w.agenda.items[0]
			w.agenda.items = w.agenda.items[1:]
			next.do()
		}
		until := end
		if len(w.agenda.items) > 0 && w.agenda.items[0].at.Before(end) {
			until = w.agenda.items[0].at
		}
		again := !w.restart.IsZero() && !time.Now().Before(w.restart)
		w.mu.Unlock()
		if again {
			w.killed()
		}
		if !time.Now().Before(end) {
			return
		}
		time.Sleep(time.Until(until))
	}
}

// do changes something, as somebody with kubectl or an AWS account does.
func (w *world) do(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// until lets time pass until something is so, at most for a time.
func (w *world) until(what string, most time.Duration, is func() bool) time.Duration {
	w.t.Helper()
	began := time.Now()
	for {
		w.mu.Lock()
		ok := is()
		w.mu.Unlock()
		if ok {
			return time.Since(began)
		}
		if time.Since(began) >= most {
			w.failed("not within %s: %s", most, what)
		}
		w.run(tick)
	}
}

// failed ends the story, and tells it.
func (w *world) failed(format string, args ...any) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	var now []string
	for _, arn := range w.groups() {
		now = append(now, w.difference(arn))
	}
	w.t.Fatalf(format+"\n%s\n%s\n%s\n%s", append(args, strings.Join(now, "\n"), strings.Join(w.verdict[:min(len(w.verdict), 10)], "\n"), w.title(), w.calls())...)
}

// settled waits until AWS holds what is wanted and all of it is healthy.
func (w *world) settled(most time.Duration) {
	w.t.Helper()
	w.until("AWS holds what is wanted, and it is healthy", most, func() bool {
		for _, arn := range w.groups() {
			var late []awssim.Key
			for _, t := range w.sim.Targets(arn) {
				if w.overdue(t.Key) {
					late = append(late, t.Key)
				}
			}
			if w.difference(arn, late...) != "" || len(w.wanted(arn)) == 0 || !w.allHealthy(arn) {
				return false
			}
		}
		return true
	})
}

func (w *world) allHealthy(arn string) bool {
	for _, t := range w.sim.Targets(arn) {
		if t.State != awssim.Healthy && t.State != awssim.Draining {
			return false
		}
	}
	return true
}

// machinesIn starts n machines, in both zones alike.
func (w *world) machinesIn(n int) []*machine {
	var out []*machine
	w.do(func() {
		for i := range n {
			out = append(out, w.addMachine(zones[i%2]))
		}
	})
	return out
}

// groupOf makes a target group with a listener, for an app.
func (w *world) groupOf(name string, a *app) string {
	w.t.Helper()
	arn := w.unattached(name, a)
	if _, err := w.sim.AttachListener(arn, awssim.Listener{Zones: zones}); err != nil {
		w.t.Fatal(err)
	}
	return arn
}

// unattached is groupOf without the listener.
func (w *world) unattached(name string, a *app) string {
	w.t.Helper()
	params := map[string]string{"HealthCheckIntervalSeconds": "10", "HealthyThresholdCount": "2", "UnhealthyThresholdCount": "2"}
	w.failsCheck[a.port] = a.failsCheck
	if a.check != 0 {
		params["HealthCheckPort"] = fmt.Sprint(a.check)
	}
	arn, err := w.sim.SeedTargetGroup(awssim.TargetGroupSeed{
		Region: region, Name: name, Protocol: "TCP", Port: a.port, VPC: vpc, Params: params,
		// Else AWS cuts the connections of a target that fails its check to drain.
		Attributes: map[string]string{"target_health_state.unhealthy.connection_termination.enabled": "false"},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return arn
}

// bind makes a Service of an app and a binding of it to a group.
func (w *world) bind(name, arn string, a *app, edit ...func(*binding)) *binding {
	b := &binding{
		name: name, uid: types.UID(name), service: name, generation: 1, drain: 300 * time.Second,
		group: targets.Group{ARN: arn, Protocol: "TCP", Type: targets.TypeInstance, Ours: true},
		owns:  map[targets.Key]bool{}, key: awssim.DefaultKey, region: region, port: a.port,
	}
	w.do(func() {
		b.created, b.edited = time.Now(), time.Now()
		for _, e := range edit {
			e(b)
		}
		w.service(name, a.name, intstr.FromInt32(a.port))
		w.bindings = append(w.bindings, b)
	})
	w.process.enqueue(b.uid)
	return b
}

// connect lets users connect through the listener of a group, in each zone, once a
// second.
func (w *world) connect(arn string, every, holds time.Duration) []*user {
	var out []*user
	for i, zone := range zones {
		u := &user{arn: arn, zone: zone}
		u.Traffic = w.sim.StartClient(awssim.Client{TargetGroup: arn, Zone: zone, Every: every, Holds: holds, Seed: uint64(i)})
		out = append(out, u)
	}
	w.do(func() { w.users = append(w.users, out...) })
	return out
}

// groups are the target groups of all bindings.
func (w *world) groups() []string {
	var out []string
	for _, b := range w.bindings {
		if !slices.Contains(out, b.group.ARN) {
			out = append(out, b.group.ARN)
		}
	}
	return out
}

// calls is what AWS was asked to change and what the bindings say, for people.
func (w *world) calls() string {
	var b strings.Builder
	w.hearing.Lock()
	for _, e := range w.heard {
		fmt.Fprintln(&b, e)
	}
	w.hearing.Unlock()
	for _, bd := range w.bindings {
		fmt.Fprintf(&b, "%s: %+v\n", bd.name, bd.conditions)
	}
	return b.String()
}
