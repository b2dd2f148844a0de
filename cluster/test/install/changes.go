package install

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// changes are the fields in which two versions of an object differ.
func changes(before, after *unstructured.Unstructured) []string {
	if before == nil {
		return []string{"created"}
	}
	var out []string
	compare(before.Object, after.Object, nil, &out)
	slices.Sort(out)
	return slices.Compact(out)
}

func compare(before, after any, at []string, out *[]string) {
	path := strings.Join(at, ".")
	switch path {
	case "metadata.managedFields", "metadata.resourceVersion", "metadata.generation":
		return
	case "status.conditions":
		*out = append(*out, conditionChanges(before, after)...)
		return
	}
	b, okB := before.(map[string]any)
	c, okC := after.(map[string]any)
	if (okB || before == nil) && (okC || after == nil) && (okB || okC) && len(at) < 4 {
		for key := range b {
			compare(b[key], c[key], append(slices.Clone(at), key), out)
		}
		for key := range c {
			if _, ok := b[key]; !ok {
				compare(nil, c[key], append(slices.Clone(at), key), out)
			}
		}
		return
	}
	if fmt.Sprint(before) != fmt.Sprint(after) {
		*out = append(*out, path)
	}
}

func conditionChanges(before, after any) (out []string) {
	was := conditionTexts(before)
	for t, text := range conditionTexts(after) {
		if was[t] != text {
			out = append(out, text)
		}
		delete(was, t)
	}
	for t := range was {
		out = append(out, "no "+t)
	}
	return out
}

func conditionTexts(list any) map[string]string {
	out := map[string]string{}
	each, _ := list.([]any)
	for _, one := range each {
		c, _ := one.(map[string]any)
		message := fmt.Sprint(c["message"])
		out[fmt.Sprint(c["type"])] = fmt.Sprintf("%v=%v/%v(%.40s)", c["type"], c["status"], c["reason"], message)
	}
	return out
}
