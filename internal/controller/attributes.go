package controller

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// An AttributeChange is what makes the attributes that something has those that
// it should have.
type AttributeChange struct {
	// Set by one call: what is declared and differs, and AWS's default for what is
	// no longer declared.
	Set map[string]string
	// Reset are the keys in Set that go back to AWS's default.
	Reset []string
	// Kept are the values of those that are no longer declared and have no default
	// that AWS documents.
	Kept map[string]string
}

// None says that nothing is to be done.
func (c AttributeChange) None() bool { return len(c.Set) == 0 }

// ChangeAttributes returns which attributes to set: those that are declared and
// differ, and those that we managed and that are no longer declared, which go back
// to AWS's default. Attributes that nobody declared here stay as they are.
func ChangeAttributes(want, have map[string]string, managed []string, defaults map[string]string) AttributeChange {
	c := AttributeChange{Set: map[string]string{}, Kept: map[string]string{}}

	for k, v := range want {
		if had, ok := have[k]; !ok || had != v {
			c.Set[k] = v
		}
	}

	for _, k := range managed {
		_, wanted := want[k]
		had, there := have[k]

		if wanted || !there {
			continue
		}

		switch def, ok := defaults[k]; {
		case !ok:
			c.Kept[k] = had
		case had != def:
			c.Set[k] = def
			c.Reset = append(c.Reset, k)
		}
	}

	slices.Sort(c.Reset)

	return c
}

// ManagedAttributeKeys is the memory of which attributes are ours: those that we
// want, and those that are still to be reset or cannot be.
func ManagedAttributeKeys(want map[string]string, c AttributeChange) []string {
	keys := slices.Concat(slices.Collect(maps.Keys(want)), c.Reset, slices.Collect(maps.Keys(c.Kept)))
	slices.Sort(keys)

	return keys
}

// Changes says what is set, in a fixed order.
func (c AttributeChange) Changes(have map[string]string) []string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(c.Set)) {
		parts = append(parts, fmt.Sprintf("attributes[%s]: %q → %q", k, have[k], c.Set[k]))
	}

	return parts
}

// Note says of attributes that are no longer declared why they keep their value;
// empty if there are none. It is meant for the message of Ready.
func (c AttributeChange) Note() string {
	if len(c.Kept) == 0 {
		return ""
	}

	var parts []string
	for _, k := range slices.Sorted(maps.Keys(c.Kept)) {
		parts = append(parts, fmt.Sprintf("%s keeps %q", k, c.Kept[k]))
	}

	return "no longer declared, but AWS documents no default to go back to: " + strings.Join(parts, ", ")
}
