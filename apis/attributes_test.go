package apis_test

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/crdtest"
)

// TestEveryAttributeOfAWSHasAField: what the SDK documents as an attribute for Network
// Load Balancers has a field, and the free map refuses its key.
func TestEveryAttributeOfAWSHasAField(t *testing.T) {
	all := crdtest.Read(t, crds)

	for kind, theirs := range map[string]string{"LoadBalancer": "LoadBalancerAttribute", "TargetGroup": "TargetGroupAttribute"} {
		documented := documentedAttributes(t, theirs)

		for name, c := range all {
			if c.Spec.Names.Kind != kind {
				continue
			}

			if diff := cmp.Diff(documented, refusedKeys(t, c)); diff != "" {
				t.Errorf("%s: the keys that attributes refuses: -%s of the SDK, +refused:\n%s", name, theirs, diff)
			}
		}
	}

	// A listener has no free map: its only attribute is a field.
	if diff := cmp.Diff([]string{"tcp.idle_timeout.seconds"}, documentedAttributes(t, "ListenerAttribute")); diff != "" {
		t.Errorf("Listener has tcpIdleTimeoutSeconds (%+v): -field, +ListenerAttribute of the SDK:\n%s", v1alpha1.ListenerParameters{}.TCPIdleTimeoutSeconds, diff)
	}
}

var (
	attributeLine = regexp.MustCompile(`(?m)^\s*-\s+([a-z0-9_]+(?:\.[a-z0-9_]+)+)\s+[-–]`)
	keyInRule     = regexp.MustCompile(`'([a-z0-9_.]+)'`)
)

// documentedAttributes are the keys that the SDK's documentation of a type has for
// Network Load Balancers: below a line about "all load balancers" or these.
func documentedAttributes(t *testing.T, theirs string) []string {
	t.Helper()

	sdk, err := build.Import("github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types", ".", build.FindOnly)
	if err != nil {
		t.Fatal(err)
	}

	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(sdk.Dir, "types.go"), nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}

	spec, ok := file.Scope.Lookup(theirs).Decl.(*ast.TypeSpec)
	if !ok {
		t.Fatalf("the SDK has no %s", theirs)
	}

	doc := spec.Type.(*ast.StructType).Fields.List[0].Doc.Text() //nolint:forcetypeassert // It is one.
	keys := map[string]bool{}

	// Each part begins with a line that says of which load balancers its attributes are.
	for part := range strings.SplitSeq(strings.ReplaceAll(doc, "\nThe following attribute", "\x00The following attribute"), "\x00") {
		head, _, _ := strings.Cut(part, "\n\n")
		head = strings.ReplaceAll(head, "\n", " ")

		if !strings.Contains(head, "all load balancers") && !strings.Contains(head, "Network Load Balancers") {
			continue
		}

		for _, m := range attributeLine.FindAllStringSubmatch(part, -1) {
			keys[m[1]] = true
		}
	}

	if len(keys) == 0 {
		t.Fatalf("the documentation of %s was not understood:\n%s", theirs, doc)
	}

	return slices.Sorted(maps.Keys(keys))
}

// refusedKeys are those that the rule on the free map of a kind names.
func refusedKeys(t *testing.T, c crdtest.CRD) []string {
	t.Helper()

	rules := c.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties["forProvider"].Properties["attributes"].XValidations
	if len(rules) != 1 {
		t.Fatalf("attributes has %d rules, want 1", len(rules))
	}

	var keys []string
	for _, m := range keyInRule.FindAllStringSubmatch(rules[0].Rule, -1) {
		keys = append(keys, m[1])
	}

	slices.Sort(keys)

	return keys
}
