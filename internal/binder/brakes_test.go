package binder

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/clusters"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// unselected is a Kubernetes of four nodes; on each the pod of one binding runs
// that is not selected any more, beside one that is.
type unselected struct{ nodes *targets.Nodes }

func (unselected) Subscribe(string, clusters.Query, func()) {}
func (unselected) Unsubscribe(string)                       {}
func (unselected) ReadySince(string, time.Time) bool        { return false }
func (unselected) RanBackwards() time.Time                  { return time.Time{} }
func (unselected) CompleteSince(string) time.Time           { return noon.Add(-time.Hour) }

func (u unselected) View(id string, _ []targets.Key) targets.View {
	pod := targets.Pod{PodRef: targets.PodRef{Namespace: "edge", Name: id, UID: id}, Node: "stays", HostNetwork: true, Phase: "Running", ContainersReady: true}
	return targets.View{Selection: targets.Selection{Port: 443}, Nodes: u.nodes, Pods: []targets.Pod{pod}, Deselected: map[string]bool{"old-" + id: true}}
}

// TestAStormStopsTheCallThatShowsIt: the plan that makes the storm sends nothing
// itself, also when it is the last one before the call.
func TestAStormStopsTheCallThatShowsIt(t *testing.T) {
	u := unselected{&targets.Nodes{ByName: map[string]*targets.Node{}, ByInstance: map[string]*targets.Node{}, ByAddress: map[string]*targets.Node{}}}
	b := New(Options{Clusters: u, Live: func(Ref) Live { return Live{} }, Notify: func(Ref) {}, Event: func(Ref, Event) {}})
	add := func(name string) targets.Key {
		n := targets.Node{Name: name, InstanceID: "i-" + name, Zone: "z1", Ready: true}
		u.nodes.ByName[n.Name], u.nodes.ByInstance[n.InstanceID] = &n, &n
		return targets.Key{ID: n.InstanceID, Port: 443}
	}
	g := newGroup(b, groupKey{}, nil)
	g.read.done = noon
	healthy := func(k targets.Key) {
		g.targets[k] = &state{Target: targets.Target{Key: k, Presence: targets.Registered, Health: targets.HealthHealthy}}
	}
	healthy(add("stays"))
	for i := range 4 {
		name := fmt.Sprint(i)
		key := add(name)
		healthy(key)
		b.brakes.add(types.UID(name))
		g.bind(Order{Binding: Ref{Name: name, UID: types.UID(name)}, Access: &aws.Access{}, Ports: []int32{443}, Group: targets.Group{Type: targets.TypeInstance}})
		g.bindings[types.UID(name)].memory.Claims = map[targets.Key]targets.Claim{
			key: {Pod: targets.PodRef{Namespace: "edge", Name: "old", UID: "old-" + name}, Node: name},
		}
	}
	if op, _ := g.plan(noon); !op.empty() {
		t.Errorf("%d of four bindings plan a removal, and one is carried out: %v", len(g.bindings), op.changes)
	}
	if c, until := b.brakes.now(noon); c.Reason != "RemovalsEverywhere" || !until.Equal(noon.Add(brakedFor)) {
		t.Errorf("the brake is %+v until %s", c, until)
	}
}
