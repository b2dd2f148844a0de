package composition_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/validation"
	"sigs.k8s.io/yaml"

	"github.com/provider-nlb/provider-nlb/internal/composition"
	"github.com/provider-nlb/provider-nlb/internal/crdtest"
)

var epoch = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// A world is a claim with all that is composed for it, nested resources included,
// as Crossplane would keep it: what is not wanted any more is deleted, and what is
// composed has a time of creation.
type world struct {
	t *testing.T
	// composite resources by name: the claim's, which is "", and those of ports.
	composites map[string]composition.Object
	observed   map[string]map[string]composition.Object
	required   map[string]composition.Object
	responses  map[string]composition.Response
	now        time.Time
	// raw are the objects as they were composed last, by composite resource and name,
	// and kept are those objects as the API server keeps them.
	raw, kept map[string]composition.Object
}

// kinds are all that people write and that is composed, by API group and kind, as
// the API server knows them.
var kinds = struct {
	once sync.Once
	all  map[string]crdtest.CRD
}{}

// known are objects that were accepted, as the API server keeps them, by what was
// sent. Many random worlds have the same ones, and each is checked once.
var known sync.Map

// accepted has the API server's part: the object is checked, and gets its defaults.
func accepted(t *testing.T, o composition.Object) {
	t.Helper()

	kinds.once.Do(func() {
		kinds.all = map[string]crdtest.CRD{}
		for _, crd := range crdtest.Read(t, "../../package/provider/crds/*.yaml") {
			kinds.all[crd.Spec.Group+"/"+crd.Spec.Versions[0].Name+" "+crd.Spec.Names.Kind] = crd
		}

		for kind, crd := range readXRDs(t) {
			kinds.all[crd.Spec.Group+"/"+crd.Spec.Versions[0].Name+" "+kind] = crd
		}
	})

	id, name := text(o, "apiVersion")+" "+text(o, "kind"), text(o, "metadata", "name")
	if errs := validation.NameIsDNSSubdomain(name, false); len(errs) > 0 || strings.Contains(id, "NetworkLoadBalancer") && len(name) > 63 {
		t.Errorf("%s has no valid name %q: %v", id, name, errs)
	}

	if id == "v1 Secret" {
		return
	}

	crd, ok := kinds.all[id]
	if !ok {
		t.Fatalf("nobody knows %s", id)
	}

	crdtest.Integers(o)

	defer withoutCrossplane(o)()

	if namespaced := text(o, "metadata", "namespace") != ""; namespaced != crd.Namespaced() {
		t.Errorf("%s %s: is in namespace %q", id, name, text(o, "metadata", "namespace"))
	}

	if got := crd.Refusals(o, nil); len(got) > 0 {
		t.Errorf("%s %s is refused: %q", id, name, got)
	}
}

// withoutCrossplane takes the fields that Crossplane adds to the schema of a composite
// resource out of one, and returns how to put them back. The tests that render know
// them.
func withoutCrossplane(o composition.Object) (restore func()) {
	spec, ok := o["spec"].(composition.Object)
	if !ok || !strings.Contains(text(o, "kind"), "NetworkLoadBalancer") {
		return func() {}
	}

	kept := composition.Object{}

	for _, field := range []string{"crossplane", "compositionRef"} {
		if v, ok := spec[field]; ok {
			kept[field] = v

			delete(spec, field)
		}
	}

	return func() { maps.Copy(spec, kept) }
}

// parse returns an object as JSON decodes it.
func parse(t *testing.T, doc string) composition.Object {
	t.Helper()

	out := composition.Object{}
	if err := yaml.Unmarshal([]byte(doc), &out); err != nil {
		t.Fatal(err)
	}

	return out
}

// newWorld returns a world with a claim, whose spec is given, in one of the styles.
func newWorld(t *testing.T, kind, spec string) *world {
	t.Helper()

	claim := parse(t, spec)
	claim["apiVersion"], claim["kind"] = "edge.nlb.crossplane.io/v1alpha1", kind
	metadata := composition.Object{"name": "edge", "namespace": "shop", "creationTimestamp": epoch.Format(time.RFC3339)}

	if strings.HasPrefix(kind, "X") {
		metadata = composition.Object{
			"name": "edge-x7k2p", "creationTimestamp": epoch.Format(time.RFC3339),
			"labels": composition.Object{"crossplane.io/claim-namespace": "shop", "crossplane.io/claim-name": "edge"},
		}
	}

	claim["metadata"] = metadata

	accepted(t, claim)

	return &world{
		t: t, composites: map[string]composition.Object{"": claim}, observed: map[string]map[string]composition.Object{},
		required: map[string]composition.Object{}, responses: map[string]composition.Response{}, now: epoch,
		raw: map[string]composition.Object{}, kept: map[string]composition.Object{},
	}
}

// compose one composite resource, once.
func (w *world) compose(name string) (composition.Response, error) {
	return composition.Compose(composition.Request{
		Composite: w.composites[name], Observed: w.observed[name], Required: w.required, Now: w.now,
	})
}

// step composes everything once, and reports whether something waits.
func (w *world) step() bool {
	w.t.Helper()

	waits := false

	for _, name := range slices.Sorted(maps.Keys(w.composites)) {
		// The one before may have removed it.
		if _, ok := w.composites[name]; !ok {
			continue
		}

		rsp, err := w.compose(name)
		if err != nil {
			w.t.Fatalf("composite resource %q: %v", name, err)
		}

		waits = waits || rsp.Waits
		w.apply(name, rsp)
	}

	return waits
}

func (w *world) apply(name string, rsp composition.Response) {
	w.responses[name] = rsp

	was := w.observed[name]
	w.observed[name] = map[string]composition.Object{}

	for n, r := range rsp.Resources {
		before, had := was[n]
		if id := name + "/" + n; had && reflect.DeepEqual(w.raw[id], r.Object) && reflect.DeepEqual(w.kept[id]["spec"], before["spec"]) {
			w.observed[name][n] = before

			continue
		}

		o := w.sent(name+"/"+n, r.Object)

		at, status := any(w.now.Format(time.RFC3339)), any(nil)
		if had {
			at, status = before["metadata"].(composition.Object)["creationTimestamp"], before["status"] //nolint:forcetypeassert // Set here.
		}

		o["metadata"].(composition.Object)["creationTimestamp"] = at //nolint:forcetypeassert // It is always there.
		if status != nil {
			o["status"] = status
		}

		w.observed[name][n] = o
	}

	if name != "" {
		return
	}

	for n := range w.composites {
		if _, ok := w.observed[""][n]; n != "" && !ok {
			delete(w.composites, n)
			delete(w.observed, n)
			delete(w.responses, n)
		}
	}

	for n, o := range w.observed[""] {
		if strings.HasPrefix(n, "port-") {
			w.composites[n] = o
		}
	}
}

// sent returns an object as the API server keeps it.
func (w *world) sent(id string, o composition.Object) composition.Object {
	w.t.Helper()

	doc := jsonOf(w.t, o)

	kept, ok := known.Load(doc)
	if !ok {
		c := clone(w.t, o)
		accepted(w.t, c)
		known.Store(doc, c)

		kept = c
	}

	w.raw[id], w.kept[id] = o, kept.(composition.Object) //nolint:forcetypeassert // Stored above.

	return clone(w.t, w.kept[id])
}

func clone(t *testing.T, o composition.Object) composition.Object {
	t.Helper()

	var out composition.Object
	if err := json.Unmarshal([]byte(jsonOf(t, o)), &out); err != nil {
		t.Fatal(err)
	}

	return out
}

// settle composes until nothing waits and nothing changes.
func (w *world) settle() *world {
	w.t.Helper()

	for range 1000 {
		before := w.objects()
		waits := w.step()

		if !waits && reflect.DeepEqual(before, w.objects()) {
			return w
		}

		w.now = w.now.Add(w.pause(5 * time.Second))
	}

	w.t.Fatal("it never settles")

	return nil
}

// pause is how long nothing happens until it is asked again: at least some time, and
// as long as every composite resource that has to wait says.
func (w *world) pause(least time.Duration) time.Duration {
	var soonest time.Duration
	for _, rsp := range w.responses {
		if rsp.Again > 0 && (soonest == 0 || rsp.Again < soonest) {
			soonest = rsp.Again
		}
	}

	return max(least, soonest)
}

// objects are all that are composed, by composite resource and name.
func (w *world) objects() map[string]composition.Object {
	out := map[string]composition.Object{}

	for composite, rsp := range w.responses {
		for name, r := range rsp.Resources {
			out[composite+"/"+name] = r.Object
		}
	}

	return out
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()

	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}

	return string(data)
}

// at returns what is at a path in an object; nil if there is nothing.
func at(o any, path ...string) any {
	for _, p := range path {
		m, ok := o.(composition.Object)
		if !ok {
			return nil
		}

		o = m[p]
	}

	return o
}

func text(o any, path ...string) string {
	if v := at(o, path...); v != nil {
		return fmt.Sprint(v)
	}

	return ""
}

// A wallRule is a security group rule as people say it.
type wallRule struct{ on, direction, protocol, ports, who string }

func (r wallRule) String() string {
	return strings.Join([]string{r.on, r.direction, r.protocol, r.ports, r.who}, " ")
}

func wallRuleOf(o composition.Object) wallRule {
	p := at(o, "spec", "forProvider")
	first := func(paths ...[]string) string {
		for _, path := range paths {
			if v := text(p, path...); v != "" {
				return v
			}
		}

		return ""
	}
	r := wallRule{
		on:        first([]string{"securityGroupIdRef", "name"}, []string{"securityGroupId"}),
		direction: text(p, "direction"), protocol: text(p, "protocol"), ports: text(p, "fromPort"),
		who: first([]string{"cidrIpv4"}, []string{"cidrIpv6"}, []string{"prefixListId"}, []string{"referencedSecurityGroupId"}, []string{"referencedSecurityGroupIdRef", "name"}),
	}

	if to := text(p, "toPort"); to != r.ports {
		r.ports += "-" + to
	}

	return r
}

// wall are all rules of a world, by the name of their object.
func (w *world) wall() map[string]string {
	out := map[string]string{}

	for _, o := range w.objects() {
		if o["kind"] == "SecurityGroupRule" {
			out[text(o, "metadata", "name")] = wallRuleOf(o).String()
		}
	}

	return out
}

// find returns the parameters of a managed resource.
func (w *world) find(kind, name string) composition.Object {
	w.t.Helper()

	for _, o := range w.objects() {
		if o["kind"] == kind && text(o, "metadata", "name") == name {
			p, _ := at(o, "spec", "forProvider").(composition.Object)

			return p
		}
	}

	w.t.Fatalf("there is no %s %s", kind, name)

	return nil
}
