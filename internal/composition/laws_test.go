package composition_test

import (
	"fmt"
	"maps"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provider-nlb/provider-nlb/internal/composition"
)

// worlds are how many random claims each law is tried with.
const worlds = 8

func pick[T any](r *rand.Rand, from ...T) T { return from[r.Intn(len(from))] }

// some returns each of the values with even odds, and at least one.
func some(r *rand.Rand, from ...string) []any {
	out := []any{from[r.Intn(len(from))]}
	for _, v := range from {
		if r.Intn(2) == 0 && !slices.Contains(out, any(v)) {
			out = append(out, v)
		}
	}

	return out
}

// randomPort is a port of a claim that has a health check port.
func randomPort(r *rand.Rand, number int) composition.Object {
	p := composition.Object{"port": number, "protocol": pick(r, "TCP", "TCP", "TLS", "UDP", "TCP_UDP")}
	if r.Intn(3) > 0 {
		p["targetPort"] = pick(r, 8080, 8081, 8443, 10000+number%100)
	}

	switch p["protocol"] {
	case "TLS":
		p["certificateArns"] = []any{"arn:aws:acm:eu-west-1:123456789012:certificate/a"}
		if r.Intn(2) == 0 {
			p["targetProtocol"] = "TLS"
		}
	case "TCP":
		p["preserveClientIp"] = r.Intn(2) == 0
		if r.Intn(2) == 0 {
			p["tcpIdleTimeoutSeconds"] = 600
		}
	}

	return p
}

// randomClaim is a claim that the API server accepts, in a random style.
func randomClaim(t *testing.T, r *rand.Rand) (kind string, spec composition.Object) {
	t.Helper()

	spec = composition.Object{
		"region": "eu-west-1", "vpcId": "vpc-0a", "nodeSecurityGroupId": "sg-0a",
		"subnetMappings": []any{composition.Object{"subnetId": "subnet-0a"}, composition.Object{"subnetId": "subnet-0b"}},
		"clients":        composition.Object{"cidrs": some(r, "10.0.0.0/8", "10.1.2.3/8", "0.0.0.0/0", "2001:db8::/32", "::/0")},
		"healthCheck":    composition.Object{"port": pick(r, "8081", "8443", "9999")},
		"scheme":         pick(r, "internal", "internet-facing"),
	}
	clients := spec["clients"].(composition.Object) //nolint:forcetypeassert // Just made.

	if r.Intn(2) == 0 {
		clients["prefixListIds"] = some(r, "pl-0a", "pl-0b")
	}

	if r.Intn(2) == 0 {
		clients["securityGroupIds"] = some(r, "sg-0c", "sg-0d")
	}

	if r.Intn(3) == 0 {
		spec["manageNodeRules"] = false
		if r.Intn(2) == 0 {
			delete(spec, "nodeSecurityGroupId")
		}
	}

	if r.Intn(2) == 0 {
		spec["serviceName"] = "proxy"
	} else {
		spec["podSelector"] = composition.Object{"matchLabels": composition.Object{"app": "edge"}}
	}

	var ports []any
	for _, n := range r.Perm(60)[:1+r.Intn(6)] {
		ports = append(ports, randomPort(r, 2+n*97))
	}

	spec["ports"] = ports

	return pick(r, "NetworkLoadBalancer", "XNetworkLoadBalancer"), spec
}

// law tries a law with many random claims. What is composed for them is checked
// against our CRDs and XRDs, rules included: see accepted.
func law(t *testing.T, check func(t *testing.T, r *rand.Rand, kind string, spec composition.Object)) {
	t.Helper()

	for seed := range int64(worlds) {
		r := rand.New(rand.NewSource(seed))
		kind, spec := randomClaim(t, r)

		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			check(t, r, kind, spec)

			if t.Failed() {
				t.Logf("%s %s", kind, jsonOf(t, spec))
			}
		})
	}
}

func claimOf(t *testing.T, kind string, spec composition.Object) *world {
	t.Helper()

	return newWorld(t, kind, jsonOf(t, composition.Object{"spec": spec}))
}

// change replaces the spec of a world's claim.
func (w *world) change(spec composition.Object) {
	w.composites[""]["spec"] = parse(w.t, jsonOf(w.t, spec))
	accepted(w.t, w.composites[""])
}

// TestRemovingAPortChangesNoOther: whatever else is there stays as it is, byte for
// byte, as long as no two ports share a port of the nodes.
func TestRemovingAPortChangesNoOther(t *testing.T) {
	law(t, func(t *testing.T, r *rand.Rand, kind string, spec composition.Object) {
		ports := spec["ports"].([]any) //nolint:forcetypeassert // Made by randomClaim.
		for _, p := range ports {
			p := p.(composition.Object) //nolint:forcetypeassert // Made by randomClaim.
			p["targetPort"] = 20000 + p["port"].(int)
		}

		w := claimOf(t, kind, spec).settle()
		before := w.objects()
		gone := r.Intn(len(ports))
		prefix := fmt.Sprintf("port-%v", ports[gone].(composition.Object)["port"]) //nolint:forcetypeassert // Made by randomClaim.

		if len(ports) == 1 {
			return
		}

		spec["ports"] = slices.Delete(slices.Clone(ports), gone, gone+1)
		w.change(spec)
		w.settle()

		maps.DeleteFunc(before, func(k string, _ composition.Object) bool { return strings.HasPrefix(k, prefix+"/") || k == "/"+prefix })

		if diff := cmp.Diff(before, w.objects()); diff != "" {
			t.Errorf("without %s: -before, +after:\n%s", prefix, diff)
		}
	})
}

// TestAddingAPortMovesNoRule: a rule that moved would be missing for a moment.
func TestAddingAPortMovesNoRule(t *testing.T) {
	law(t, func(t *testing.T, r *rand.Rand, kind string, spec composition.Object) {
		w := claimOf(t, kind, spec).settle()
		before := w.objects()

		// One of them comes first by its number, and leads to where another one does.
		ports := spec["ports"].([]any)                   //nolint:forcetypeassert // Made by randomClaim.
		first := clone(t, ports[0].(composition.Object)) //nolint:forcetypeassert // Made by randomClaim.

		if first["targetPort"] == nil {
			first["targetPort"] = first["port"]
		}

		first["port"] = 1
		spec["ports"] = append(ports, randomPort(r, 60000), first)
		w.change(spec)
		w.settle()

		after := w.objects()
		for k, o := range before {
			if diff := cmp.Diff(o, after[k]); diff != "" {
				t.Errorf("%s: -before, +after:\n%s", k, diff)
			}
		}
	})
}

// TestOrderDoesNotMatter: neither of ports nor of clients.
func TestOrderDoesNotMatter(t *testing.T) {
	law(t, func(t *testing.T, r *rand.Rand, kind string, spec composition.Object) {
		want := claimOf(t, kind, spec).settle().objects()

		clients := spec["clients"].(composition.Object) //nolint:forcetypeassert // Made by randomClaim.
		for _, list := range []any{spec["ports"], clients["cidrs"], clients["securityGroupIds"]} {
			if list, ok := list.([]any); ok {
				r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			}
		}

		got := claimOf(t, kind, spec).settle().objects()
		for k := range want {
			// The clients are handed on as they are written.
			if !strings.HasPrefix(k, "/port-") && !cmp.Equal(want[k], got[k]) {
				t.Errorf("%s: -want, +got:\n%s", k, cmp.Diff(want[k], got[k]))
			}
		}

		if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
			t.Errorf("resources: -want, +got:\n%s", diff)
		}
	})
}

// TestTheWayIsOpen: for each port, and for the health check, clients reach the load
// balancer, it reaches the nodes and they let it in; the nodes let in nobody by
// address; and no rule is there twice, which AWS refuses.
func TestTheWayIsOpen(t *testing.T) {
	law(t, func(t *testing.T, _ *rand.Rand, kind string, spec composition.Object) {
		w := claimOf(t, kind, spec).settle()
		base := text(w.objects()["/load-balancer"], "metadata", "name")
		nodes, _ := spec["nodeSecurityGroupId"].(string)
		manage := spec["manageNodeRules"] == nil

		has := map[wallRule]int{}
		for _, o := range w.objects() {
			if o["kind"] == "SecurityGroupRule" {
				has[wallRuleOf(o)]++
			}
		}

		want := map[wallRule]int{}
		open := func(protocol, port string) {
			if nodes == "" {
				return
			}

			want[wallRule{base, "egress", protocol, port, nodes}] = 1
			if manage {
				want[wallRule{nodes, "ingress", protocol, port, base}] = 1
			}
		}

		open("tcp", text(spec, "healthCheck", "port"))

		for _, p := range spec["ports"].([]any) { //nolint:forcetypeassert // Made by randomClaim.
			target := text(p, "targetPort")
			if target == "" {
				target = text(p, "port")
			}

			for _, protocol := range map[string][]string{"TCP": {"tcp"}, "TLS": {"tcp"}, "UDP": {"udp"}, "TCP_UDP": {"tcp", "udp"}}[text(p, "protocol")] {
				open(protocol, target)

				for _, list := range []string{"cidrs", "prefixListIds", "securityGroupIds"} {
					ids, _ := at(spec, "clients", list).([]any)
					for _, id := range ids {
						who := strings.Replace(fmt.Sprint(id), "10.1.2.3/8", "10.0.0.0/8", 1)
						want[wallRule{base, "ingress", protocol, text(p, "port"), who}] = 1
					}
				}
			}
		}

		if diff := cmp.Diff(want, has); diff != "" {
			t.Errorf("rules: -want, +got:\n%s", diff)
		}
	})
}

// A ledger is what is taken from a bucket of the circuit breaker, by the second.
type ledger map[time.Duration]float64

func (l ledger) take(at time.Duration, created, ready, healthy float64) {
	l[at] += created
	l[at+5*time.Second] += ready
	l[at+12*time.Second] += healthy
}

// lowest is what is left when the bucket is emptiest.
func (l ledger) lowest(born time.Duration) float64 {
	left, least, last := 100.0, 100.0, born
	for _, at := range slices.Sorted(maps.Keys(l)) {
		left = min(100, left+(at-last).Seconds()) - l[at]
		least = min(least, left)
		last = at
	}

	return least
}

// spends is what an object takes from the bucket that it belongs to: at once, when it
// gets ready, and when its targets are healthy.
func spends(kind string) (created, ready, healthy float64) {
	switch kind {
	case "NetworkLoadBalancer":
		return 17, 4, 2
	case "XNetworkLoadBalancer":
		return 25, 4, 2
	case "NetworkLoadBalancerPort", "XNetworkLoadBalancerPort":
		return 13, 4, 2
	case "LoadBalancer":
		return 7, 2, 0
	case "TargetGroupBinding":
		return 7, 0, 2
	case "Secret":
		return 3, 0, 0
	}

	return 7, 0, 0
}

// TestTheBreakerStaysClosed: while resources are created, Crossplane's bucket of 100
// tokens, which gets back one a second, never empties, if no resource changes more
// often than it is said to; and in the end everything is there.
func TestTheBreakerStaysClosed(t *testing.T) {
	law(t, func(t *testing.T, r *rand.Rand, kind string, spec composition.Object) {
		w := claimOf(t, kind, spec)
		// It must hold when we are asked only when we said, and all the time.
		patient := r.Intn(2) == 0
		// What each composite resource spends, when it was born, and its first resource.
		books, born, first := map[string]ledger{"": {}}, map[string]time.Duration{"": 0}, map[string]time.Duration{}
		created, ready, healthy := spends(kind)
		books[""].take(0, created, ready, healthy)

		for range 1000 {
			seen := map[string]bool{}
			for k := range w.objects() {
				seen[k] = true
			}

			waits := w.step()
			age := w.now.Sub(epoch)

			staged := map[string]bool{}

			for k, o := range w.objects() {
				if seen[k] {
					continue
				}

				composite, name, _ := strings.Cut(k, "/")
				created, ready, healthy := spends(text(o, "kind"))

				if at, ok := first[composite]; !ok || at == age {
					// Crossplane does not listen yet.
					first[composite] = age
					created--
				} else if !staged[composite] {
					staged[composite] = true
					books[composite].take(age, 12, 0, 0)
				}

				books[composite].take(age, created, ready, healthy)

				if strings.HasPrefix(name, "port-") {
					books[name], born[name] = ledger{}, age
					created, ready, healthy := spends(text(o, "kind"))
					books[name].take(age, created, ready, healthy)
				}
			}

			if !waits && len(seen) == len(w.objects()) {
				break
			}

			pause := time.Second
			if patient {
				pause = w.pause(pause)
			}

			w.now = w.now.Add(pause)
		}

		if w.step() {
			t.Error("some resources are never created")
		}

		for composite, book := range books {
			if left := book.lowest(born[composite]); left < 0 {
				t.Errorf("the bucket of %q has %.0f tokens left when fewest are", composite, left)
			}
		}
	})
}

// TestThreePortsComeAtOnce: pacing is for larger claims.
func TestThreePortsComeAtOnce(t *testing.T) {
	for _, kind := range []string{"NetworkLoadBalancer", "XNetworkLoadBalancer"} {
		t.Run(kind, func(t *testing.T) {
			w := newWorld(t, kind, with(t, `spec: {clients: {cidrs: [10.0.0.0/8, 192.168.0.0/16, 172.16.0.0/12, 100.64.0.0/10]},
				healthCheck: {port: "8081"}, ports: [{port: 443}, {port: 80}, {port: 8443}]}`))
			// What the ports consist of is composed in the second round.
			w.step()

			if w.step() {
				t.Error("something waits")
			}
		})
	}
}

// TestAFourthPortComesSoon: what waits does so only as long as it has to.
func TestAFourthPortComesSoon(t *testing.T) {
	w := newWorld(t, "NetworkLoadBalancer", with(t, `spec: {healthCheck: {port: "8081"}, ports: [{port: 443}, {port: 80}, {port: 8443}, {port: 8080}]}`))
	w.step()

	for w.step() {
		if age := w.now.Sub(epoch); age > 45*time.Second {
			t.Fatalf("it waits after %s", age)
		}

		w.now = w.now.Add(time.Second)
	}

	if w.now.Equal(epoch) {
		t.Error("a bucket has no room for four ports at once")
	}
}
