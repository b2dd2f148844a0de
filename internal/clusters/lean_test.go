package clusters

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"unique"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"sigs.k8s.io/randfill"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// anyObjects fills pods and nodes at random, mostly with what is looked at.
func anyObjects(seed int64) *randfill.Filler {
	in := func(c randfill.Continue, values ...string) string { return values[c.Intn(len(values))] }
	return randfill.NewWithSeed(seed).NilChance(0.3).NumElements(1, 2).MaxDepth(12).Funcs(
		func(q *resource.Quantity, c randfill.Continue) {
			*q = *resource.NewQuantity(int64(c.Intn(1e6)), resource.DecimalSI)
		},
		func(t *metav1.Time, c randfill.Continue) { *t = metav1.Unix(int64(c.Intn(1e9)), 0) },
		func(f *metav1.FieldsV1, _ randfill.Continue) { f.SetRawBytes([]byte(`{"f:spec":{}}`)) },
		func(m *metav1.ObjectMeta, c randfill.Continue) {
			c.FillNoCustom(m)
			m.Labels = map[string]string{corev1.LabelTopologyZone: c.String(4), in(c, "a", corev1.LabelNodeExcludeBalancers): "b"}
			m.Annotations = map[string]string{in(c, excludeAnnotation, corev1.MirrorPodAnnotationKey, metav1.InitialEventsAnnotationKey): "true"}
			if c.Bool() {
				m.DeletionTimestamp = nil
			}
		},
		func(o *metav1.OwnerReference, c randfill.Continue) {
			c.FillNoCustom(o)
			o.Kind, o.Controller = "DaemonSet", new(true)
		},
		func(t *corev1.Taint, c randfill.Continue) {
			t.Key, t.Effect = in(c, leavingTaints[0], departingTaints[0]), corev1.TaintEffectNoSchedule
		},
		func(n *corev1.NodeCondition, c randfill.Continue) {
			n.Type, n.Status = corev1.NodeReady, corev1.ConditionStatus(in(c, "True", "False"))
		},
		func(a *corev1.NodeAddress, c randfill.Continue) {
			a.Type, a.Address = corev1.NodeInternalIP, c.String(4)
		},
		func(s *corev1.NodeSpec, c randfill.Continue) {
			c.FillNoCustom(s)
			s.ProviderID = in(c, "aws:///eu-west-1a/i-1", "aws:///eu-west-1b/i-2")
		},
		func(p *corev1.PodCondition, c randfill.Continue) {
			c.FillNoCustom(p)
			p.Type, p.Status = corev1.PodConditionType(in(c, string(corev1.ContainersReady), string(corev1.DisruptionTarget))), corev1.ConditionStatus(in(c, "True", "False"))
		},
		func(g *corev1.PodReadinessGate, c randfill.Continue) {
			g.ConditionType = corev1.PodConditionType(targets.GatePrefix + c.String(4))
		},
		func(s *corev1.PodSpec, c randfill.Continue) {
			c.FillNoCustom(s)
			s.HostNetwork = s.HostNetwork || c.Intn(4) > 0
		},
		func(p *corev1.PodPhase, c randfill.Continue) { *p = corev1.PodPhase(in(c, "Running", "Pending")) },
		func(p *corev1.Protocol, c randfill.Continue) { *p = corev1.Protocol(in(c, "TCP", "UDP")) },
		func(p *corev1.ContainerRestartPolicy, _ randfill.Continue) { *p = corev1.ContainerRestartPolicyAlways },
	)
}

// leanWorld encodes and decodes.
type leanWorld struct {
	*Cluster
	plain runtime.Serializer
}

func newLeanWorld(t *testing.T) leanWorld {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	return leanWorld{&Cluster{}, protobuf.NewSerializer(scheme, scheme)}
}

// message is an object, or a list of one, as an API server sends it.
func (w leanWorld) message(t *testing.T, seed int64) []byte {
	t.Helper()
	anything := anyObjects(seed)
	var o runtime.Object
	switch seed % 4 {
	case 0:
		o = &corev1.Pod{TypeMeta: metav1.TypeMeta{Kind: "Pod", APIVersion: "v1"}}
	case 1:
		o = &corev1.Node{TypeMeta: metav1.TypeMeta{Kind: "Node", APIVersion: "v1"}}
	case 2:
		o = &corev1.PodList{TypeMeta: metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}}
	default:
		o = &corev1.NodeList{TypeMeta: metav1.TypeMeta{Kind: "NodeList", APIVersion: "v1"}}
	}
	gvk := o.GetObjectKind().GroupVersionKind()
	anything.Fill(o)
	o.GetObjectKind().SetGroupVersionKind(gvk)
	var out bytes.Buffer
	if err := w.plain.Encode(o, &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// kept is what becomes of a message, with what the reflector reads of it.
func (w leanWorld) kept(d runtime.Decoder, message []byte) (out []any, err error) {
	o, _, err := d.Decode(message, nil, nil)
	if err != nil {
		return nil, err
	}
	switch o := o.(type) {
	case *corev1.Pod:
		return append(out, o.ResourceVersion, o.Annotations[metav1.InitialEventsAnnotationKey], w.trimPod(o)), nil
	case *corev1.Node:
		return append(out, o.ResourceVersion, o.Annotations[metav1.InitialEventsAnnotationKey], trimNode(o)), nil
	case *corev1.PodList:
		out = append(out, o.ResourceVersion, o.Continue)
		for i := range o.Items {
			out = append(out, w.trimPod(&o.Items[i]))
		}
	case *corev1.NodeList:
		out = append(out, o.ResourceVersion, o.Continue)
		for i := range o.Items {
			out = append(out, trimNode(&o.Items[i]))
		}
	default:
		return nil, fmt.Errorf("a %T was decoded", o)
	}
	return out, nil
}

var byValue = cmp.Options{
	cmp.AllowUnexported(pod{}, node{}, labelSet{}),
	cmp.Comparer(func(a, b unique.Handle[string]) bool { return a == b }),
}

const leanSeeds = 400

// TestNothingIsKeptOfWhatIsLeftOut: law over random objects and lists.
func TestNothingIsKeptOfWhatIsLeftOut(t *testing.T) {
	w := newLeanWorld(t)
	var all, remain int
	for seed := range int64(leanSeeds) {
		message := w.message(t, seed)
		whole, err := w.kept(w.plain, message)
		if err != nil {
			t.Fatal(err)
		}
		if lean, err := w.kept(leanDecoder{w.plain}, message); err != nil || !cmp.Equal(whole, lean, byValue) {
			t.Fatalf("seed %d: What is left out is trimmed anyway: %v, -whole +lean:\n%s", seed, err, cmp.Diff(whole, lean, byValue))
		}
		left, ok := leave(nil, message)
		if !ok {
			t.Fatalf("seed %d was not understood", seed)
		}
		all, remain = all+len(message), remain+len(left)
	}
	if remain > all/3 {
		t.Errorf("Most of an object that has everything is left out: of %d bytes %d are left", all, remain)
	}
}

// TestAllThatIsDecodedIsKept: each field that is wanted is one that something is made of,
// which also shows that the law can fail.
func TestAllThatIsDecodedIsKept(t *testing.T) {
	w := newLeanWorld(t)
	for kind, fields := range map[int64]wanted{0: wantedPod, 1: wantedNode} {
		leaves(fields, nil, func(path []int, without func(func())) {
			missed := false
			without(func() {
				for seed := kind; seed < leanSeeds && !missed; seed += 4 {
					message := w.message(t, seed)
					whole, _ := w.kept(w.plain, message)
					lean, _ := w.kept(leanDecoder{w.plain}, message)
					missed = !cmp.Equal(whole, lean, byValue)
				}
			})
			if !missed {
				t.Errorf("field %v of kind %d: Nothing is made of it, so it need not be decoded", path, kind)
			}
		})
	}
}

// leaves visits the fields that are wanted wholly, and lets each be left out meanwhile.
func leaves(fields wanted, path []int, visit func(path []int, without func(func()))) {
	for number, inner := range fields {
		at := append(slices.Clone(path), int(number))
		if inner != nil {
			leaves(inner, at, visit)
			continue
		}
		visit(at, func(do func()) {
			delete(fields, number)
			defer func() { fields[number] = nil }()
			do()
		})
	}
}

// TestDamagedMessages: a message that was cut is refused, and nothing that is sent ends
// the process.
func TestDamagedMessages(t *testing.T) {
	w := newLeanWorld(t)
	for seed := range int64(leanSeeds) {
		message := w.message(t, seed)
		chance := rand.New(rand.NewPCG(uint64(seed), 0))
		for range 20 {
			cut := message[:chance.IntN(len(message))]
			_, err := w.kept(leanDecoder{w.plain}, cut)
			if _, plain := w.kept(w.plain, cut); (err == nil) != (plain == nil) {
				t.Fatalf("seed %d, cut at %d: %v, and %v if all of it is decoded", seed, len(cut), err, plain)
			}
			flipped := slices.Clone(message)
			flipped[chance.IntN(len(flipped))] ^= byte(1 << chance.IntN(8))
			_, _ = w.kept(leanDecoder{w.plain}, flipped) // may be refused, or be another object
		}
	}
}

// TestOthersAreDecodedWhole: what is not a pod or node in protobuf is left alone.
func TestOthersAreDecodedWhole(t *testing.T) {
	cases := map[string]struct {
		reason, message string
	}{
		"JSON":    {"An API server, or a proxy before it, may not speak protobuf.", `{"kind":"Pod","apiVersion":"v1"}`},
		"Status":  {"An error is told whole.", "k8s\x00\x0a\x0c\x0a\x02v1\x12\x06Status"},
		"Group":   {"A Node of another group is another kind.", "k8s\x00\x0a\x0f\x0a\x07other/v1\x12\x04Node"},
		"Nothing": {"Nothing is no object.", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if left, ok := leave(nil, []byte(tc.message)); ok {
				t.Errorf("%s %q was left of %q", tc.reason, left, tc.message)
			}
		})
	}
}
