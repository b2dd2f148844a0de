package awssim_test

import (
	"testing"
	"time"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// TestHealthySinceDoesNotDependOnWhenSomebodyLooks: one looks all the time and one
// when all is over, and both are told the same moment.
func TestHealthySinceDoesNotDependOnWhenSomebodyLooks(t *testing.T) {
	const step, id = time.Millisecond, "i-0a1b2c3d4e5f60718"
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	look := func(every time.Duration) (since, seen time.Time) {
		clock := awssim.NewManualClock(start)
		sim := awssim.New(awssim.Options{Clock: clock})
		defer sim.Close()
		sim.SeedInstance(awssim.Instance{ID: id, Zone: "eu-west-1a", VPC: "vpc-1"})
		arn, err := sim.SeedTargetGroup(awssim.TargetGroupSeed{Region: "eu-west-1", Name: "web", Protocol: "TCP", Port: 80, VPC: "vpc-1"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sim.AttachListener(arn, awssim.Listener{Zones: []string{"eu-west-1a"}}); err != nil {
			t.Fatal(err)
		}
		if err := sim.PutTarget(arn, id, 80); err != nil {
			t.Fatal(err)
		}
		for passed := time.Duration(0); passed < 5*time.Second; passed += every {
			clock.Advance(every)
			target, _ := sim.Target(arn, id, 80)
			if target.State == awssim.Healthy && seen.IsZero() {
				seen = clock.Now()
			}
			if (target.State == awssim.Healthy) == target.HealthySince.IsZero() {
				t.Fatalf("it is %s since %s", target.State, target.HealthySince)
			}
			since = target.HealthySince
		}
		return since, seen
	}
	always, seen := look(step)
	once, _ := look(5 * time.Second)
	if !always.Equal(once) {
		t.Errorf("healthy since %s for who looks always, %s for who looks once", always, once)
	}
	if late := seen.Sub(always); late < 0 || late > step {
		t.Errorf("it was seen %s after it is said to be healthy", late)
	}
}
