package binder_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// gathered are all series of the engine, as "name{label values}".
func (b *bench) gathered() map[string]*dto.Metric {
	b.t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(b.engine); err != nil {
		b.t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		b.t.Fatal(err)
	}
	out := map[string]*dto.Metric{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var values []string
			for _, l := range m.GetLabel() {
				values = append(values, l.GetName()+"="+l.GetValue())
			}
			out[fmt.Sprintf("%s{%s}", strings.TrimPrefix(f.GetName(), "provider_nlb_"), strings.Join(values, ","))] = m
		}
	}
	return out
}

const webLabels = "binding=web,group=nlb.m.crossplane.io,namespace=edge"

func TestMetricsOfABinding(t *testing.T) {
	inBubble(t, awssim.Options{Profile: awssim.Observed}, time.Hour, func(t *testing.T, b *bench) {
		b.nodes(5)
		arn := b.group("web")
		if err := b.sim.PutTarget(arn, instance(4), 9999); err != nil {
			t.Fatal(err)
		}
		o := b.order("web", arn)
		o.Drain, o.Policy.Ownership = 300*time.Second, targets.OwnershipShared
		b.world.run("web", 0, 1, 2, 3)
		b.engine.Bind(o)
		b.ready("web")
		b.settled(10 * time.Minute)
		b.sim.SetAccepting(instance(2), port, false)
		b.world.run("web", 0, 1, 2)
		time.Sleep(10 * time.Minute)

		want := map[string]float64{
			"leader{}": 1,
			"binding_targets{" + webLabels + ",state=desired,zone=eu-west-1a}": 2,
			"binding_targets{" + webLabels + ",state=healthy,zone=eu-west-1a}": 1,
			"binding_targets{" + webLabels + ",state=healthy,zone=eu-west-1b}": 1,
			"binding_targets{" + webLabels + ",state=foreign,zone=eu-west-1a}": 1,
			"binding_targets_missing{" + webLabels + "}":                       0,
			"binding_view_complete{" + webLabels + "}":                         1,
			"binding_held{" + webLabels + "}":                                  0,
			"binding_departures_waiting{" + webLabels + "}":                    0,
		}
		got := b.gathered()
		for series, value := range want {
			if m := got[series]; m == nil || m.GetGauge().GetValue() != value {
				t.Errorf("%s is %v, want %v", series, m, value)
			}
		}
		for series := range got {
			for _, name := range []string{"web-0", "node-", "i-0"} {
				if strings.Contains(series, name) {
					t.Errorf("%s names a pod, a node or a target: such series do not end", series)
				}
			}
		}
		healthy, gone := got["register_to_healthy_seconds{account=123456789012,region=eu-west-1}"], got["deregister_to_gone_seconds{account=123456789012,region=eu-west-1}"]
		if n := healthy.GetHistogram().GetSampleCount(); n != 4 {
			t.Errorf("%d registrations measured, want 4", n)
		}
		if mean := healthy.GetHistogram().GetSampleSum() / 4; mean < 60 || mean > 400 {
			t.Errorf("a registration took %v s on average, but AWS takes minutes", mean)
		}
		if n, sum := gone.GetHistogram().GetSampleCount(), gone.GetHistogram().GetSampleSum(); n != 1 || sum < 300 || sum > 310 {
			t.Errorf("%d deregistrations took %v s, want one of 300 s", n, sum)
		}
	})
}

// TestWhatWaitsIsMeasured: departures that wait have an age.
func TestWhatWaitsIsMeasured(t *testing.T) {
	inBubble(t, awssim.Options{}, time.Hour, func(t *testing.T, b *bench) {
		b.nodes(2)
		arn := b.group("web")
		b.world.run("web", 0, 1)
		b.engine.Bind(b.order("web", arn))
		b.ready("web")
		b.settled(5 * time.Minute)
		b.world.change("web", func() {
			pods := slices.Clone(b.world.pods["web"])
			for i := range pods {
				pods[i].Excluded = true
			}
			b.world.pods["web"] = pods
		})
		time.Sleep(20 * time.Minute)
		got := b.gathered()
		waiting, oldest := got["binding_departures_waiting{"+webLabels+"}"], got["binding_departures_waiting_oldest_seconds{"+webLabels+"}"]
		if diff := cmp.Diff(2.0, waiting.GetGauge().GetValue()); diff != "" {
			t.Errorf("each is the last of its zone: -want, +got:\n%s", diff)
		}
		if age := oldest.GetGauge().GetValue(); age < 1190 || age > 1201 {
			t.Errorf("the oldest has waited for %v s, want 20 minutes", age)
		}
		if m := got["binding_trouble{binding=web,condition=DeparturesWaiting,group=nlb.m.crossplane.io,namespace=edge,reason=Overdue}"]; m == nil {
			t.Errorf("no trouble: %v", got)
		}
	})
}

// TestWaitingGatesAreMeasured: a pod whose target AWS has not called healthy.
func TestWaitingGatesAreMeasured(t *testing.T) {
	inGatedBubble(t, func(t *testing.T, b *bench) {
		arn := b.group("web")
		b.sim.SetProbe(instance(0), port, awssim.TimesOut)
		b.bind("web", arn)
		b.pods("web", gatedPod("p", "web", 0))
		time.Sleep(20 * time.Minute)
		got := b.gathered()
		if n := got["binding_gates_waiting{"+webLabels+"}"].GetGauge().GetValue(); n != 1 {
			t.Errorf("%v gates wait, want 1", n)
		}
		if age := got["binding_gates_waiting_oldest_seconds{"+webLabels+"}"].GetGauge().GetValue(); age < 1100 || age > 1201 {
			t.Errorf("the oldest has waited for %v s, want 20 minutes", age)
		}
	})
}
