package aws

import (
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// A subject is what a write changes and what an answer depends on: an ARN, an id, a
// name, or one of these.
const (
	// everyUse is which load balancers use which target groups.
	everyUse = "use of target groups"
	// everyGroup is which target groups there are.
	everyGroup = "target groups"
	// everyRule is the rules of all security groups: a rule's id does not tell
	// its group.
	everyRule = "security group rules"
	// everyGroupName is which names security groups have: an id does not tell it.
	everyGroupName = "names of security groups"
	// childrenOf is for what belongs to an ARN: listeners, rules.
	childrenOf = "children of "
	// endOf is for the deletion of an ARN, which takes its children with it.
	endOf = "end of "
)

// subjectsOf is what an action changes, by its input: everything that it names.
// None means that nobody knows, and that it may be anything.
func subjectsOf(action string, input any) []string {
	var named []string
	walk(reflect.ValueOf(input), "", func(s string) { named = append(named, s) })
	var out []string
	for _, s := range named {
		out = append(out, s)
		out = append(out, related(s)...)
		if strings.HasPrefix(action, "Delete") {
			out = append(out, endOf+s)
		}
		if strings.HasPrefix(s, "sgr-") {
			out = append(out, everyRule)
		}
	}
	if len(out) == 0 {
		return nil
	}
	switch action {
	case "CreateListener", "ModifyListener", "DeleteListener", "DeleteLoadBalancer", "CreateRule", "ModifyRule", "DeleteRule":
		out = append(out, everyUse)
	case "CreateTargetGroup", "DeleteTargetGroup":
		out = append(out, everyGroup)
	case "CreateSecurityGroup", "DeleteSecurityGroup":
		out = append(out, everyGroupName, everyRule)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// related are the subjects that an ARN stands for besides itself.
func related(s string) []string {
	kind, parts := parseARN(s)
	switch {
	case kind == "targetgroup" && len(parts) == 2:
		return parts[:1]
	case kind == "loadbalancer" && len(parts) == 3:
		return parts[1:2]
	}
	if p := parentOf(s); p != "" {
		return []string{childrenOf + p}
	}
	return nil
}

// parseARN returns the kind of an ARN of ELBv2 and what follows it.
func parseARN(s string) (kind string, rest []string) {
	a, err := arn.Parse(s)
	if err != nil || a.Service != "elasticloadbalancing" {
		return "", nil
	}
	parts := strings.Split(a.Resource, "/")
	return parts[0], parts[1:]
}

// parentOf is the load balancer of a listener's ARN, or the listener of a rule's;
// empty for others.
func parentOf(s string) string {
	kind, rest := parseARN(s)
	var above string
	switch {
	case kind == "listener" && len(rest) == 4: // net, name, and an id of each
		above = "loadbalancer"
	case kind == "listener-rule" && len(rest) == 5:
		above = "listener"
	default:
		return ""
	}
	s = strings.Replace(s, ":"+kind+"/", ":"+above+"/", 1)
	return s[:strings.LastIndex(s, "/")]
}

// reliesOn is what an answer about a key depends on.
func reliesOn(key string) []string {
	out := []string{key}
	for p := parentOf(key); p != ""; p = parentOf(p) {
		out = append(out, endOf+p)
	}
	return out
}

// walk finds the names in an input: ARNs and ids wherever they are, and what is in
// a field for a name. Tags name nothing.
func walk(v reflect.Value, field string, found func(string)) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			walk(v.Elem(), field, found)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), field, found)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.IsExported() && !strings.HasPrefix(f.Name, "Tag") {
				walk(v.Field(i), f.Name, found)
			}
		}
	case reflect.String:
		s := v.String()
		if s != "" && (field == "Name" || field == "GroupName" || isID(s)) {
			found(s)
		}
	}
}

func isID(s string) bool {
	return strings.HasPrefix(s, "arn:") || strings.HasPrefix(s, "sg-") || strings.HasPrefix(s, "sgr-")
}
