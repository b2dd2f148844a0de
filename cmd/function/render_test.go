//go:build render

package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crossplane/function-sdk-go/logging"
	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	"sigs.k8s.io/yaml"

	"github.com/provider-nlb/provider-nlb/internal/crdtest"
)

// These tests render with Crossplane itself, `crossplane internal render`, and with
// function-auto-ready. They need the paths of both programs in CROSSPLANE_BINARY and
// AUTO_READY_BINARY.

// Numbers of the fields of Crossplane's proto/render/v1alpha1, which cannot be
// imported without all of Crossplane.
const (
	requestComposite, responseComposite  = 2, 2
	inXR, inComposition, inFunction      = 1, 2, 3
	inObserved, inRequired, inDefinition = 4, 5, 8
	functionName, functionAddress        = 1, 2
	outXR, outComposed, outDeleted       = 1, 2, 3
)

type object = map[string]any

func read(t *testing.T, file string) object {
	t.Helper()

	data, err := os.ReadFile(filepath.Join("../..", file))
	if err != nil {
		t.Fatal(err)
	}

	out := object{}
	if err := yaml.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}

	return out
}

// serve starts the function in this process and auto-ready beside it, and returns
// their addresses by name.
func serve(t *testing.T) map[string]string {
	t.Helper()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}

	s := grpc.NewServer()
	fnv1.RegisterFunctionRunnerServiceServer(s, &server{log: logging.NewNopLogger()})

	go func() { _ = s.Serve(listener) }()

	t.Cleanup(s.Stop)

	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}

	address := free.Addr().String()
	_ = free.Close()

	ready := exec.Command(os.Getenv("AUTO_READY_BINARY"), "--insecure", "--address="+address)
	if err := ready.Start(); err != nil {
		t.Fatalf("cannot start function-auto-ready: %v", err)
	}

	t.Cleanup(func() { _ = ready.Process.Kill(); _ = ready.Wait() })

	for deadline := time.Now().Add(time.Minute); ; {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			_ = c.Close()

			break
		}

		if time.Now().After(deadline) {
			t.Fatalf("function-auto-ready does not listen: %v", err)
		}
	}

	return map[string]string{
		"crossplane-contrib-function-hostnetwork-nlb": listener.Addr().String(),
		"crossplane-contrib-function-auto-ready":      address,
	}
}

// A rendering is what Crossplane would do.
type rendering struct {
	xr                object
	composed, deleted []object
}

type renderer struct {
	t         *testing.T
	functions map[string]string
}

func (r renderer) render(xr object, composition, definition string, observed, required []object) (rendering, error) {
	r.t.Helper()

	var in []byte

	add := func(field protowire.Number, o object) {
		s, err := structpb.NewStruct(o)
		if err != nil {
			r.t.Fatal(err)
		}

		data, err := proto.Marshal(s)
		if err != nil {
			r.t.Fatal(err)
		}

		in = protowire.AppendBytes(protowire.AppendTag(in, field, protowire.BytesType), data)
	}

	add(inXR, xr)
	add(inComposition, read(r.t, "package/configuration/compositions/"+composition+".yaml"))
	add(inDefinition, read(r.t, "package/configuration/xrds/"+definition+".yaml"))

	for _, o := range observed {
		add(inObserved, o)
	}

	for _, o := range required {
		add(inRequired, o)
	}

	for name, address := range r.functions {
		f := protowire.AppendString(protowire.AppendTag(nil, functionName, protowire.BytesType), name)
		f = protowire.AppendString(protowire.AppendTag(f, functionAddress, protowire.BytesType), address)
		in = protowire.AppendBytes(protowire.AppendTag(in, inFunction, protowire.BytesType), f)
	}

	var stdout, stderr bytes.Buffer

	run := exec.Command(os.Getenv("CROSSPLANE_BINARY"), "internal", "render")
	run.Stdin = bytes.NewReader(protowire.AppendBytes(protowire.AppendTag(nil, requestComposite, protowire.BytesType), in))
	run.Stdout, run.Stderr = &stdout, &stderr

	if err := run.Run(); err != nil {
		return rendering{}, fmt.Errorf("%w: %s", err, stderr.String())
	}

	out := rendering{}

	for n, data := range fields(r.t, stdout.Bytes()) {
		if n != responseComposite {
			continue
		}

		for _, message := range data {
			for n, values := range fields(r.t, message) {
				for _, v := range values {
					switch n {
					case outXR:
						out.xr = structIn(r.t, v)
					case outComposed:
						out.composed = append(out.composed, structIn(r.t, v))
					case outDeleted:
						out.deleted = append(out.deleted, structIn(r.t, v))
					}
				}
			}
		}
	}

	return out, nil
}

// fields are the messages in a message, by field.
func fields(t *testing.T, data []byte) map[protowire.Number][][]byte {
	t.Helper()

	out := map[protowire.Number][][]byte{}

	for len(data) > 0 {
		n, typ, size := protowire.ConsumeTag(data)
		if size < 0 || typ != protowire.BytesType {
			t.Fatalf("no message: field %d of type %d", n, typ)
		}

		value, length := protowire.ConsumeBytes(data[size:])
		if length < 0 {
			t.Fatal("no message: it ends too early")
		}

		out[n] = append(out[n], value)
		data = data[size+length:]
	}

	return out
}

func structIn(t *testing.T, data []byte) object {
	t.Helper()

	s := &structpb.Struct{}
	if err := proto.Unmarshal(data, s); err != nil {
		t.Fatal(err)
	}

	return s.AsMap()
}

// aged returns an object as it is an hour after its creation.
func aged(o object) object {
	o["metadata"].(object)["creationTimestamp"] = time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)

	return o
}

func (r rendering) aged() []object {
	for _, o := range r.composed {
		aged(o)
	}

	return r.composed
}

func text(o any, path ...string) string {
	for _, p := range path {
		m, _ := o.(object)
		o = m[p]
	}

	if o == nil {
		return ""
	}

	return fmt.Sprint(o)
}

func names(objects []object) []string {
	var out []string
	for _, o := range objects {
		out = append(out, text(o, "kind")+" "+text(o, "metadata", "name"))
	}

	slices.Sort(out)

	return out
}

// TestRenderExamples renders the examples of claims, ports included, and has our
// CRDs judge every managed resource that Crossplane would apply.
func TestRenderExamples(t *testing.T) {
	r := renderer{t: t, functions: serve(t)}
	crds := map[string]crdtest.CRD{}

	for _, c := range crdtest.Read(t, "../../package/provider/crds/*.yaml") {
		crds[c.Spec.Group+"/v1alpha1 "+c.Spec.Names.Kind] = c
	}

	cases := map[string]struct {
		reason, file, prefix, composition, definition string
		labels                                        object
		balancer                                      []string
		// ports and how many managed resources each has.
		ports map[string]int
	}{
		"Short": {
			reason: "Ten lines and an environment are all it takes.", file: "examples/namespaced/claim.yaml", composition: "hostnetwork-nlb", definition: "networkloadbalancer",
			balancer: []string{"LoadBalancer edge", "NetworkLoadBalancerPort edge-443", "Secret edge-nlb", "SecurityGroup edge"},
			ports:    map[string]int{"edge-443": 6},
		},
		"Full": {
			reason: "Every parameter.", file: "examples/namespaced/claim-full.yaml", composition: "hostnetwork-nlb", definition: "networkloadbalancer",
			balancer: []string{
				"LoadBalancer edge-full", "NetworkLoadBalancerPort edge-full-443", "NetworkLoadBalancerPort edge-full-53", "NetworkLoadBalancerPort edge-full-80",
				"Secret edge-full-nlb", "SecurityGroup edge-full", "SecurityGroupRule edge-full-on-nodes-tcp-8081", "SecurityGroupRule edge-full-to-nodes-tcp-8081",
			},
			ports: map[string]int{"edge-full-443": 9, "edge-full-80": 9, "edge-full-53": 15},
		},
		"Legacy": {
			reason: "The same in cluster scope.", file: "examples/cluster/claim.yaml", prefix: "X", composition: "hostnetwork-nlb-legacy", definition: "xnetworkloadbalancer",
			labels:   object{"crossplane.io/claim-name": "edge", "crossplane.io/claim-namespace": "edge", "crossplane.io/composite": "edge-x7k2p"},
			balancer: []string{"LoadBalancer edge-edge-de8ab67e", "SecurityGroup edge-edge-de8ab67e", "XNetworkLoadBalancerPort edge-edge-de8ab67e-443"},
			ports:    map[string]int{"edge-edge-de8ab67e-443": 6},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := renderer{t: t, functions: r.functions}
			xr := read(t, tc.file)
			metadata := xr["metadata"].(object)

			if tc.labels != nil {
				xr["kind"] = "XNetworkLoadBalancer"
				metadata["name"], metadata["labels"] = "edge-x7k2p", tc.labels
				delete(metadata, "namespace")
				delete(xr["spec"].(object), "writeConnectionSecretToRef")
			}

			for _, p := range xr["spec"].(object)["ports"].([]any) {
				if text(p, "protocol") == "" {
					p.(object)["protocol"] = "TCP" // The API server's default.
				}
			}

			out, err := r.render(xr, tc.composition, tc.definition+"s", nil, []object{read(t, "examples/namespaced/environment.yaml")})
			if err != nil {
				t.Fatal(err)
			}

			if diff := cmp.Diff(tc.balancer, names(out.composed)); diff != "" {
				t.Fatalf("\n%s\n-want, +got:\n%s", tc.reason, diff)
			}

			ports := map[string]int{}
			all := slices.Clone(out.composed)

			for _, o := range out.composed {
				if !strings.HasSuffix(text(o, "kind"), "Port") {
					continue
				}

				port, err := r.render(aged(o), tc.composition+"-port", tc.definition+"ports", nil, nil)
				if err != nil {
					t.Fatal(err)
				}

				// What is too much at once comes when there is room again.
				if port, err = r.render(aged(o), tc.composition+"-port", tc.definition+"ports", port.aged(), nil); err != nil {
					t.Fatal(err)
				}

				ports[text(o, "metadata", "name")] = len(port.composed)
				all = append(all, port.composed...)
			}

			if diff := cmp.Diff(tc.ports, ports); diff != "" {
				t.Errorf("\n%s\n-want, +got:\n%s", tc.reason, diff)
			}

			for _, o := range all {
				crd, ok := crds[text(o, "apiVersion")+" "+text(o, "kind")]
				if !ok {
					continue
				}

				if got := crd.Refusals(crdtest.Integers(o).(object), nil); len(got) > 0 {
					t.Errorf("%s %s is refused: %q", text(o, "kind"), text(o, "metadata", "name"), got)
				}
			}
		})
	}
}

// TestRenderChanges: a port that is removed is deleted, with nothing else; and a
// claim that cannot be composed deletes nothing.
func TestRenderChanges(t *testing.T) {
	r := renderer{t: t, functions: serve(t)}
	claim := func() object {
		o := aged(read(t, "examples/namespaced/claim-full.yaml"))
		o["metadata"].(object)["uid"] = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"

		for _, p := range o["spec"].(object)["ports"].([]any) {
			if text(p, "protocol") == "" {
				p.(object)["protocol"] = "TCP" // The API server's default.
			}
		}

		return o
	}

	first, err := r.render(claim(), "hostnetwork-nlb", "networkloadbalancers", nil, nil)
	if err != nil {
		t.Fatal(err)
	}

	less := claim()
	less["spec"].(object)["ports"] = slices.Delete(less["spec"].(object)["ports"].([]any), 1, 2)

	second, err := r.render(less, "hostnetwork-nlb", "networkloadbalancers", first.aged(), nil)
	if err != nil {
		t.Fatal(err)
	}

	if diff := cmp.Diff([]string{"NetworkLoadBalancerPort edge-full-80"}, names(second.deleted)); diff != "" {
		t.Errorf("deleted: -want, +got:\n%s", diff)
	}

	bad := claim()
	bad["spec"].(object)["clients"] = object{"cidrs": []any{"10.0.0.0/33"}}

	refused, err := r.render(bad, "hostnetwork-nlb", "networkloadbalancers", first.aged(), nil)
	if err == nil || !strings.Contains(err.Error(), `"10.0.0.0/33" is no range of addresses`) || len(refused.deleted) > 0 {
		t.Errorf("want a fatal result that says why, got %v; deleted %q", err, names(refused.deleted))
	}
}
