package awssim

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// What the actions of EC2 that list things have in common.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html

// ec2Filter is a filter of a call: one of its values has to match.
type ec2Filter struct {
	name   string
	values []string
}

// filters reads the filters of a call; known says which names there are.
func (c *call) filters(known func(name string) ([]string, bool)) ([]ec2Filter, error) {
	var out []ec2Filter
	for _, item := range c.items("Filter") {
		f := ec2Filter{c.str(item + "Name"), c.list(item + "Value")}
		if _, ok := known(f.name); !ok {
			return nil, refuse("InvalidParameterValue", "The filter '%s' is invalid", f.name)
		}
		if len(f.values) == 0 {
			return nil, refuse("InvalidParameterValue", "The filter '%s' has no values", f.name)
		}
		out = append(out, f)
	}
	return out, nil
}

// passes says whether a thing passes all filters. Values may have the wildcards
// * and ?, and are case-sensitive.
func passes(filters []ec2Filter, of func(name string) ([]string, bool)) bool {
	for _, f := range filters {
		have, _ := of(f.name)
		if !slices.ContainsFunc(have, func(v string) bool {
			return slices.ContainsFunc(f.values, func(p string) bool { return wildcard(p, v) })
		}) {
			return false
		}
	}
	return true
}

// slashless lets path.Match treat a slash as any other character, and a bracket
// as itself.
var slashless = strings.NewReplacer("/", "\x00", "[", `\[`)

func wildcard(pattern, v string) bool {
	ok, err := path.Match(slashless.Replace(pattern), strings.ReplaceAll(v, "/", "\x00"))
	return ok && err == nil
}

// filteredTags are the values of tags that a filter looks at.
func filteredTags(tags map[string]string, name string) ([]string, bool) {
	if name == "tag-key" {
		return slices.Collect(maps.Keys(tags)), true
	}
	key, ok := strings.CutPrefix(name, "tag:")
	if !ok {
		return nil, false
	}
	if v, has := tags[key]; has {
		return []string{v}, true
	}
	return nil, true
}

// extent is a page of a list.
type extent struct{ from, to int }

// ec2Page is the page of a list of n things that NextToken and MaxResults ask for.
func (c *call) ec2Page(n int, key func(i int) string) (extent, string, error) {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	page, next, err := pageOf(all, key, c.str("NextToken"), c.num("MaxResults", max(n, 1)))
	if err != nil {
		return extent{}, "", refuse("InvalidParameterValue", "Invalid NextToken")
	}
	if len(page) == 0 {
		return extent{}, "", nil
	}
	return extent{page[0], page[len(page)-1] + 1}, next, nil
}

type ec2Tag struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

func ec2Tags(tags map[string]string) set[ec2Tag] {
	var out set[ec2Tag]
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out.Item = append(out.Item, ec2Tag{k, tags[k]})
	}
	return out
}
