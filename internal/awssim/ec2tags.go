package awssim

import (
	"maps"
	"slices"
	"strings"
)

func tagSpecification() map[string]shape {
	return map[string]shape{
		"TagSpecification.N.ResourceType": anyText(), "TagSpecification.N.Tag.N.Key": ec2TagKey(), "TagSpecification.N.Tag.N.Value": textOf(0, 256),
	}
}

// ec2TagKey: "a maximum of 127 Unicode characters".
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Tag.html
func ec2TagKey() shape { return textOf(1, 127) }

func ec2TagActions() map[string]action {
	params := func() map[string]shape {
		return map[string]shape{"ResourceId.N": anyText(), "Tag.N.Key": ec2TagKey(), "Tag.N.Value": textOf(0, 256)}
	}
	return map[string]action{
		"CreateTags":   {bucket: ec2Tagging, params: params(), required: []string{"ResourceId", "Tag"}, run: createTags},
		"DeleteTags":   {bucket: ec2Tagging, params: params(), required: []string{"ResourceId"}, run: deleteTags},
		"DescribeTags": {bucket: ec2Filtered, params: ec2List(), run: describeEC2Tags},
	}
}

// readEC2Tags reads a list of tags over the tags there were.
func (c *call) readEC2Tags(prefix string, was map[string]string) (map[string]string, error) {
	out := maps.Clone(was)
	if out == nil {
		out = map[string]string{}
	}
	var seen []string
	for _, item := range c.items(prefix) {
		k := c.str(item + "Key")
		switch {
		case k == "":
			return nil, missing(c.service, item+"Key")
		case strings.HasPrefix(strings.ToLower(k), "aws:"):
			return nil, refuse("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use")
		case slices.Contains(seen, k):
			return nil, refuse("InvalidParameterValue", "Duplicate tag key '%s' specified.", k)
		}
		seen = append(seen, k)
		out[k] = c.str(item + "Value")
	}
	if len(out) > maxTags {
		return nil, refuse("TagLimitExceeded", "The maximum number of tags per resource is %d.", maxTags)
	}
	return out, nil
}

// readTagSpecification reads the tags of what a call creates.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TagSpecification.html
func (c *call) readTagSpecification(kind string) (map[string]string, error) {
	items := c.items("TagSpecification")
	if len(items) > 1 {
		return nil, refuse("InvalidParameterValue", "Tag specification resource type '%s' is specified more than once", kind)
	}
	if len(items) == 0 {
		return map[string]string{}, nil
	}
	if got := c.str(items[0] + "ResourceType"); got != kind {
		return nil, refuse("InvalidParameterValue", "'%s' is not a valid taggable resource type for this operation.", got)
	}
	return c.readEC2Tags(items[0]+"Tag", nil)
}

// ec2Resources returns the tags of each resource of the call, all or none.
func (c *call) ec2Resources() ([]*map[string]string, error) {
	var out []*map[string]string
	for _, id := range c.list("ResourceId") {
		switch {
		case strings.HasPrefix(id, "sg-"):
			g, err := c.securityGroup(id)
			if err != nil {
				return nil, err
			}
			out = append(out, &g.tags)
		case strings.HasPrefix(id, "sgr-"):
			r, err := c.groupRule(id)
			if err != nil {
				return nil, err
			}
			out = append(out, &r.tags)
		default:
			return nil, refuse("InvalidID", "The ID '%s' is not valid", id)
		}
	}
	return out, nil
}

type done struct {
	Return bool `xml:"return"`
}

// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html
func createTags(c *call) (any, error) {
	resources, err := c.ec2Resources()
	if err != nil {
		return nil, err
	}
	after := make([]map[string]string, len(resources))
	for i, tags := range resources {
		if after[i], err = c.readEC2Tags("Tag", *tags); err != nil {
			return nil, err
		}
	}
	for i, tags := range resources {
		*tags = after[i]
	}
	return done{true}, nil
}

// deleteTags: without tags it deletes all; a tag with a value is deleted only if
// it has that value.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTags.html
func deleteTags(c *call) (any, error) {
	resources, err := c.ec2Resources()
	if err != nil {
		return nil, err
	}
	items := c.items("Tag")
	for _, tags := range resources {
		if len(items) == 0 {
			*tags = map[string]string{}
		}
		for _, item := range items {
			if k := c.str(item + "Key"); !c.has(item+"Value") || (*tags)[k] == c.str(item+"Value") {
				delete(*tags, k)
			}
		}
	}
	return done{true}, nil
}

type xmlEC2Tag struct {
	ID    string `xml:"resourceId"`
	Kind  string `xml:"resourceType"`
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

func (t xmlEC2Tag) filtered(name string) ([]string, bool) {
	if key, ok := strings.CutPrefix(name, "tag:"); ok {
		if key != t.Key {
			return nil, true
		}
		return []string{t.Value}, true
	}
	v, ok := map[string]string{"key": t.Key, "value": t.Value, "resource-id": t.ID, "resource-type": t.Kind}[name]
	return []string{v}, ok
}

// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeTags.html
func describeEC2Tags(c *call) (any, error) {
	filters, err := c.filters(xmlEC2Tag{}.filtered)
	if err != nil {
		return nil, err
	}
	var found []xmlEC2Tag
	add := func(id, kind string, tags map[string]string) {
		for k, v := range tags {
			if t := (xmlEC2Tag{id, kind, k, v}); passes(filters, t.filtered) {
				found = append(found, t)
			}
		}
	}
	for _, g := range c.world().securityGroups {
		if c.now.Before(g.visible) {
			continue
		}
		add(g.id, "security-group", g.tags)
		for _, r := range g.rules {
			add(r.id, "security-group-rule", r.tags)
		}
	}
	key := func(t xmlEC2Tag) string { return t.ID + "\x00" + t.Key }
	slices.SortFunc(found, func(a, b xmlEC2Tag) int { return strings.Compare(key(a), key(b)) })
	page, next, err := c.ec2Page(len(found), func(i int) string { return key(found[i]) })
	if err != nil {
		return nil, err
	}
	return struct {
		Tags      set[xmlEC2Tag] `xml:"tagSet"`
		NextToken string         `xml:"nextToken,omitempty"`
	}{set[xmlEC2Tag]{found[page.from:page.to]}, next}, nil
}
