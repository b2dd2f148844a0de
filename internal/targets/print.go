package targets

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// sort the lists, so that equal plans print and compare equal.
func (p *Plan) sort() {
	for _, changes := range [][]Change{p.Register, p.Deregister, p.Keep, p.Waiting, p.Guarded} {
		slices.SortFunc(changes, func(a, b Change) int { return compareKeys(a.Key, b.Key) })
	}
	slices.SortFunc(p.Unproven, compareKeys)
	slices.SortFunc(p.Skipped, func(a, b Skip) int {
		return cmp.Or(cmp.Compare(a.Pod.Namespace, b.Pod.Namespace), cmp.Compare(a.Pod.Name, b.Pod.Name),
			cmp.Compare(a.Pod.UID, b.Pod.UID), cmp.Compare(a.Rule, b.Rule))
	})
}

// String is the plan for a diff or a log: what it changes, what waits and why.
// What just stays is left out; an empty text means that there is nothing to say.
func (p Plan) String() string {
	var b strings.Builder
	lists := []struct {
		sign    string
		changes []Change
	}{{"+", p.Register}, {"-", p.Deregister}, {"~", p.Waiting}, {"!", p.Guarded}}
	if p.DeregisterFirst {
		lists[0], lists[1] = lists[1], lists[0]
	}
	for _, list := range lists {
		for _, change := range list.changes {
			fmt.Fprintf(&b, "%s %s\n", list.sign, change)
		}
	}
	if p.Held != "" {
		fmt.Fprintf(&b, "held: %s\n", p.Held)
	}
	for _, skip := range p.Skipped {
		fmt.Fprintf(&b, "skipped %s: %s\n", skip.Pod, skip.Reason)
	}
	return b.String()
}

func (c Change) String() string {
	text := c.Key.String()
	if c.Zone != "" {
		text += " in " + c.Zone
	}
	if c.Pod != (PodRef{}) {
		text += " for " + c.Pod.String()
	}
	return fmt.Sprintf("%s: %s: %s", text, c.Rule, c.Reason)
}

// String is id:port, an IPv6 address in brackets.
func (k Key) String() string {
	if strings.Contains(k.ID, ":") {
		return fmt.Sprintf("[%s]:%d", k.ID, k.Port)
	}
	return fmt.Sprintf("%s:%d", k.ID, k.Port)
}

// String is namespace/name.
func (p PodRef) String() string { return p.Namespace + "/" + p.Name }
