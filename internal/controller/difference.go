package controller

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Difference is a field that is not in AWS as the spec declares it.
type Difference struct{ Field, Have, Want string }

// Differ appends a difference if there is one.
func Differ[T comparable](to []Difference, field string, have, want T) []Difference {
	if have == want {
		return to
	}

	return append(to, Difference{Field: field, Have: fmt.Sprint(have), Want: fmt.Sprint(want)})
}

// Immutable is the error of a field that AWS cannot change.
func (d Difference) Immutable(what, kind string) error {
	return Stalled{Reason: ReasonImmutable, Message: fmt.Sprintf(
		"spec.forProvider.%s is %s, but %s has %s and AWS cannot change it: set it to %s, or create a new %s",
		d.Field, d.Want, what, d.Have, d.Have, kind)}
}

// Describe says what differs, in a fixed order. attributes are those of
// AttributeChange.Changes.
func Describe(differences []Difference, attributes []string, tags TagChange) string {
	var parts []string
	for _, d := range differences {
		parts = append(parts, fmt.Sprintf("%s: %q → %q", d.Field, d.Have, d.Want))
	}

	parts = append(parts, attributes...)

	for _, k := range slices.Sorted(maps.Keys(tags.Set)) {
		parts = append(parts, fmt.Sprintf("tags[%s] → %q", k, tags.Set[k]))
	}

	for _, k := range tags.Remove {
		parts = append(parts, fmt.Sprintf("tags[%s] removed", k))
	}

	return strings.Join(parts, ", ")
}
