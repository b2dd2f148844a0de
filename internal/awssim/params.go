package awssim

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// shape is what AWS's API model says of a parameter's value (botocore's
// data/elbv2/2015-12-01/service-2.json has the numbers).
type shape struct {
	kind kind
	// min and max bound an integer, or a text's length in characters.
	min, max int
	// enum are the values that are allowed.
	enum []string
	// pattern that a text must match.
	pattern *regexp.Regexp
}

type kind int

const (
	text kind = iota
	integer
	boolean
)

func anyText() shape                  { return shape{} }
func textOf(minLen, maxLen int) shape { return shape{min: minLen, max: maxLen} }
func oneOf(values ...string) shape    { return shape{enum: values} }
func number(minV, maxV int) shape     { return shape{kind: integer, min: minV, max: maxV} }
func trueOrFalse() shape              { return shape{kind: boolean} }

var (
	index     = regexp.MustCompile(`\.\d+(\.|$)`)
	fieldName = regexp.MustCompile(`[A-Z][A-Za-z]*`)
)

// check refuses what the API's model refuses: unknown parameters, missing ones,
// and values out of their range.
func check(service string, a action, form url.Values) error {
	lists := a.lists()
	for _, key := range slices.Sorted(maps.Keys(form)) {
		sh, known := a.params[index.ReplaceAllString(key, ".N$1")]
		switch {
		case known:
		case lists[index.ReplaceAllString(key, ".N$1")] && form.Get(key) == "":
			// How the SDK writes an empty list.
			continue
		case service == ServiceEC2:
			return refuse("UnknownParameter", "The parameter %s is not recognized", key)
		default:
			return invalid("The parameter %s is not recognized", key)
		}
		if problem := sh.problem(form.Get(key)); problem != "" {
			if service == ServiceEC2 {
				return refuse("InvalidParameterValue", "Value (%s) for parameter %s is invalid. %s", form.Get(key), key, problem)
			}
			return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s",
				form.Get(key), memberPath(key), problem)
		}
	}
	for _, name := range a.required {
		if !given(form, name) {
			return missing(service, name)
		}
	}
	return nil
}

// lists are the names of the parameters that are lists, "DefaultActions" and
// "DefaultActions.member.N.ForwardConfig.TargetGroups" among them.
func (a action) lists() map[string]bool {
	out := map[string]bool{}
	for name := range a.params {
		for i := range len(name) {
			if name[i:] == ".N" || strings.HasPrefix(name[i:], ".N.") {
				out[strings.TrimSuffix(name[:i], ".member")] = true
			}
		}
	}
	return out
}

func given(form url.Values, name string) bool {
	for key := range form {
		if key == name && form.Get(key) != "" || strings.HasPrefix(key, name+".") {
			return true
		}
	}
	return false
}

func missing(service, name string) error {
	if service == ServiceEC2 {
		return refuse("MissingParameter", "The request must contain the parameter %s", name)
	}
	return invalid("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null",
		memberPath(name))
}

// memberPath is how AWS writes a parameter in a message: tags.1.member.key.
func memberPath(key string) string {
	return fieldName.ReplaceAllStringFunc(key, func(s string) string {
		r, size := utf8.DecodeRuneInString(s)
		return string(unicode.ToLower(r)) + s[size:]
	})
}

func (sh shape) problem(v string) string {
	switch sh.kind {
	case integer:
		n, err := strconv.Atoi(v)
		switch {
		case err != nil:
			return "Member must be an integer"
		case n < sh.min:
			return fmt.Sprintf("Member must have value greater than or equal to %d", sh.min)
		case n > sh.max:
			return fmt.Sprintf("Member must have value less than or equal to %d", sh.max)
		}
	case boolean:
		if v != "true" && v != "false" {
			return "Member must be a boolean"
		}
	case text:
		n := utf8.RuneCountInString(v)
		switch {
		case len(sh.enum) > 0 && !slices.Contains(sh.enum, v):
			return "Member must satisfy enum value set: [" + strings.Join(sh.enum, ", ") + "]"
		case n < sh.min:
			return fmt.Sprintf("Member must have length greater than or equal to %d", sh.min)
		case sh.max > 0 && n > sh.max:
			return fmt.Sprintf("Member must have length less than or equal to %d", sh.max)
		case sh.pattern != nil && !sh.pattern.MatchString(v):
			return "Member must satisfy regular expression pattern: " + sh.pattern.String()
		}
	}
	return ""
}

// has says whether a parameter is there, even if empty.
func (c *call) has(name string) bool { return c.form.Has(name) }

// str is a text parameter; empty if it is not there.
func (c *call) str(name string) string { return c.form.Get(name) }

// num is an integer parameter that check has passed; def if it is not there.
func (c *call) num(name string, def int) int {
	n, err := strconv.Atoi(c.form.Get(name))
	if err != nil {
		return def
	}
	return n
}

// list is a list of texts: prefix.1, prefix.2, … where prefix is "Names.member"
// for ELBv2 and STS, and "InstanceId" for EC2.
func (c *call) list(prefix string) []string {
	var out []string
	for _, i := range c.indexes(prefix) {
		out = append(out, c.form.Get(prefix+"."+strconv.Itoa(i)))
	}
	return out
}

// items is a list of structures: one prefix for each, "Targets.member.1.".
func (c *call) items(prefix string) []string {
	var out []string
	for _, i := range c.indexes(prefix) {
		out = append(out, prefix+"."+strconv.Itoa(i)+".")
	}
	return out
}

func (c *call) indexes(prefix string) []int {
	var out []int
	for key := range c.form {
		rest, ok := strings.CutPrefix(key, prefix+".")
		if !ok {
			continue
		}
		rest, _, _ = strings.Cut(rest, ".")
		if i, err := strconv.Atoi(rest); err == nil && !slices.Contains(out, i) {
			out = append(out, i)
		}
	}
	slices.Sort(out)
	return out
}
