package histories

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// soon is what a registration may take from the pod's readiness on: watch, plan, token
// and one call.
const soon = time.Second

// TestNoGroupDelaysAnother: whatever is wrong with one group, account or region, the
// others are registered and deregistered as ever.
func TestNoGroupDelaysAnother(t *testing.T) {
	other := awssim.AccessKey{ID: "AKIAOTHERACCOUNT0001", Secret: "other", Account: "210987654321"}
	cases := map[string]struct {
		reason string
		fault  awssim.Fault
		// elsewhere: the sick group is in another account or region.
		account, region string
		deleted         bool
	}{
		"Hanging":          {reason: "a call that hangs holds no lock", fault: awssim.Fault{Effect: awssim.Hang}},
		"Throttled":        {reason: "one group's back-off is its own", fault: awssim.Fault{Effect: awssim.Throttle}},
		"Denied":           {reason: "a policy may deny one group", fault: awssim.Fault{Effect: awssim.Deny}},
		"Broken":           {reason: "AWS may fail for one group", fault: awssim.Fault{Effect: awssim.InternalFailure}},
		"LosesAnswers":     {reason: "what nobody knows of one group", fault: awssim.Fault{Effect: awssim.LoseResponse}},
		"Deleted":          {reason: "a group that is gone", deleted: true},
		"AnotherAccount":   {reason: "an account in which every call hangs", account: other.Account, fault: awssim.Fault{Effect: awssim.Hang}},
		"ThrottledAccount": {reason: "an account whose every call is throttled", account: other.Account, fault: awssim.Fault{Effect: awssim.Throttle}},
		"AnotherRegion":    {reason: "a region in which every call hangs", region: "eu-central-1", fault: awssim.Fault{Effect: awssim.Hang}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, awssim.Observed, func(w *world) {
				sick, well, ds := w.sickAndWell()
				arn := w.groupOf("well", well)
				w.bind("well", arn, well)
				ill := w.groupElsewhere("sick", tc.account, tc.region, sick)
				w.bind("sick", ill, sick, func(b *binding) {
					if tc.account != "" {
						w.sim.AddKey(other)
						b.key = other
					}
					if tc.region != "" {
						b.region = tc.region
					}
				})
				w.run(5 * time.Minute)
				switch {
				case tc.deleted:
					w.sim.DeleteTargetGroup(ill)
				case tc.account != "" || tc.region != "":
					tc.fault.Account, tc.fault.Region = tc.account, tc.region
					w.sim.Fault(tc.fault)
				default:
					tc.fault.Contains = ill
					w.sim.Fault(tc.fault)
				}
				w.do(func() { ds[0].version++; ds[1].version++ })
				if took := w.slowest(arn, well, 10*time.Minute); took > soon {
					t.Errorf("%s: a registration elsewhere took %s from readiness on\n%s", tc.reason, took, w.calls())
				}
			})
		})
	}
}

// many is more than there are workers of a kind.
const many = 30

// TestManyGroupsDelayNoOther: what one sick group must not do, thirty must not do either.
// In one account they have pods that move before the others do: the first calls of all of
// them at once are as many as the account grants, whoever answers.
func TestManyGroupsDelayNoOther(t *testing.T) {
	other := awssim.AccessKey{ID: "AKIAOTHERACCOUNT0001", Secret: "other", Account: "210987654321"}
	cases := map[string]struct {
		reason  string
		fault   awssim.Fault
		account string
		// first is for how long the sick groups have had calls to make before the others.
		first time.Duration
	}{
		"Hanging":          {reason: "calls that hang hold a token of the account each", fault: awssim.Fault{Effect: awssim.Hang}, first: time.Minute},
		"Denied":           {reason: "what is denied is asked for less and less", fault: awssim.Fault{Effect: awssim.Deny}, first: time.Minute},
		"AnotherAccount":   {reason: "an account in which every call hangs", account: other.Account, fault: awssim.Fault{Effect: awssim.Hang}},
		"ThrottledAccount": {reason: "an account whose every call is throttled", account: other.Account, fault: awssim.Fault{Effect: awssim.Throttle}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, awssim.Observed, func(w *world) {
				sick, well, ds := w.sickAndWell()
				w.sim.AddKey(other)
				arn := w.groupOf("well", well)
				w.bind("well", arn, well)
				for i := range many {
					name := fmt.Sprintf("sick-%d", i)
					ill := w.groupElsewhere(name, tc.account, "", sick)
					w.bind(name, ill, sick, func(b *binding) {
						if tc.account != "" {
							b.key = other
						}
					})
					f := tc.fault
					if f.Account = tc.account; f.Account == "" {
						f.Contains = ill
					}
					w.agenda.after(5*time.Minute, func() { w.sim.Fault(f) })
				}
				w.run(5*time.Minute + tick)
				w.do(func() { ds[0].version++ })
				w.run(tc.first)
				w.do(func() { ds[1].version++ })
				if took := w.slowest(arn, well, 10*time.Minute); took > soon {
					t.Errorf("%s: a registration elsewhere took %s from readiness on", tc.reason, took)
				}
			})
		})
	}
}

// groupElsewhere is groupOf in another account or region.
func (w *world) groupElsewhere(name, account, in string, a *app) string {
	if account == "" && in == "" {
		return w.groupOf(name, a)
	}
	if in == "" {
		in = region
	}
	arn, err := w.sim.SeedTargetGroup(awssim.TargetGroupSeed{Account: account, Region: in, Name: name, Protocol: "TCP", Port: a.port, VPC: vpc})
	if err != nil {
		w.t.Fatal(err)
	}
	return arn
}

// slowest is the longest that it took from a pod's readiness to a call that names its
// target.
func (w *world) slowest(arn string, a *app, most time.Duration) time.Duration {
	w.t.Helper()
	named1 := map[awssim.Key]time.Time{}
	w.do(func() {
		w.judges.onCall = func(c awssim.Call) {
			if c.Action == "RegisterTargets" && c.TargetGroupARN == arn {
				for _, k := range named(c) {
					named1[k] = time.Now()
				}
			}
		}
	})
	w.run(most)
	var slowest time.Duration
	w.do(func() {
		n := 0
		for _, p := range w.pods {
			if p.app != a || p.version != 2 {
				continue
			}
			n++
			at, ok := named1[p.key()]
			if !ok {
				w.t.Errorf("%s was never registered", p.pod.Name)
				continue
			}
			slowest = max(slowest, at.Sub(p.since))
		}
		if n == 0 {
			w.t.Error("there is no new pod")
		}
	})
	return slowest
}

func TestOneRefusedTargetDelaysNoOther(t *testing.T) {
	inWorld(t, awssim.Observed, func(w *world) {
		a := patient(w, "web")
		a.daemonSet = true
		all := w.machinesIn(20)
		arn := w.groupOf("web", a)
		w.sim.Fault(awssim.Fault{Effect: awssim.RefuseTarget, Target: all[7].id})
		w.trouble(time.Hour)
		began := time.Now()
		w.do(func() { w.controllers = append(w.controllers, &daemonSet{app: a, version: 1, unavailable: 1}) })
		w.bind("web", arn, a)
		w.until("19 of 20 are registered", time.Minute, func() bool { return len(w.sim.Targets(arn)) == 19 })
		if took := time.Since(began) - a.pulls - a.warms; took > 2*tick+soon {
			t.Errorf("it took %s", took)
		}
		w.run(2 * time.Minute)
		w.told(t, "web", all[7].id)
	})
}

// told asserts that a binding's conditions name something.
func (w *world) told(t *testing.T, name, text string) {
	t.Helper()
	w.do(func() {
		for _, b := range w.bindings {
			for _, c := range b.conditions {
				if b.name == name && strings.Contains(c.Message, text) {
					return
				}
			}
			if b.name == name {
				t.Errorf("no condition tells of %s: %+v", text, b.conditions)
			}
		}
	})
}

// TestSixHundredNodesAreReplaced in a group that can have 1,000 targets: the new ones
// do not all fit beside the old ones.
func TestSixHundredNodesAreReplaced(t *testing.T) {
	o := awssim.Options{Profile: awssim.Observed, Quotas: awssim.Quotas{TargetsPerGroup: 1000, TargetsPerZone: 500}}
	inWorldOf(t, o, func(w *world) {
		a := careful("web")
		a.daemonSet, a.tolerates = true, true
		old := w.machinesIn(600)
		w.trouble(24 * time.Hour) // not all that is wanted fits
		w.do(func() { w.controllers = append(w.controllers, &daemonSet{app: a, version: 1, unavailable: 1}) })
		arn := w.groupOf(a.name, a)
		w.bind(a.name, arn, a)
		w.settled(15 * time.Minute)
		users := w.connect(arn, 5*time.Second, 20*time.Second)
		w.do(func() {
			for i := range 600 {
				w.addMachine(zones[i%2])
			}
			for _, m := range old {
				w.label(m, "node.kubernetes.io/exclude-from-external-load-balancers", true)
			}
		})
		took := w.until("the new ones have replaced the old ones", 6*time.Hour, func() bool {
			fresh := 0
			for _, target := range w.sim.Targets(users[0].arn) {
				if _, departing := signals(w.machineOf(target.ID)); target.State == awssim.Healthy && !departing {
					fresh++
				}
			}
			return fresh == 600
		})
		t.Logf("took %s", took.Round(time.Minute))
		// 400 fit beside the old ones, and for 200 old ones must go first.
		w.served(users, 190)
	})
}

// TestWhatDoesNotFitIsSaid: 20 targets too many for a zone.
func TestWhatDoesNotFitIsSaid(t *testing.T) {
	o := awssim.Options{Profile: awssim.Observed, Quotas: awssim.Quotas{TargetsPerZone: 50}}
	inWorldOf(t, o, func(w *world) {
		a := careful("web")
		a.daemonSet = true
		w.machinesIn(120)
		arn := w.groupOf("web", a)
		w.trouble(time.Hour)
		w.do(func() { w.controllers = append(w.controllers, &daemonSet{app: a, version: 1, unavailable: 1}) })
		w.bind("web", arn, a)
		w.run(10 * time.Minute)
		w.do(func() {
			in := map[string]int{}
			for _, target := range w.sim.Targets(arn) {
				in[target.Zone]++
			}
			if got := fmt.Sprint(in); got != fmt.Sprint(map[string]int{zoneA: 50, zoneB: 50}) {
				t.Errorf("registered by zone: %s\n%s", got, w.calls())
			}
		})
		w.told(t, "web", "TooManyTargets")
	})
}

// sickAndWell are two workloads of three pods each in a world of eight machines, of
// which nothing is asked but what the test asks: promptness.
func (w *world) sickAndWell() (sick, well *app, ds []*deployment) {
	sick, well = patient(w, "sick"), patient(w, "well")
	well.port = 9443
	w.machinesIn(8)
	ds = []*deployment{{app: sick, version: 1, replicas: 3, surge: 3}, {app: well, version: 1, replicas: 3, surge: 3}}
	w.do(func() { w.controllers = append(w.controllers, ds[0], ds[1]) })
	w.trouble(time.Hour)
	return sick, well, ds
}
