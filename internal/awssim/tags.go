package awssim

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// maxTags per resource, and maxTagged resources per DescribeTags.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html
const (
	maxTags   = 50
	maxTagged = 20
)

var tagChars = regexp.MustCompile(`^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$`)

func tagKey() shape   { return shape{min: 1, max: 128, pattern: tagChars} }
func tagValue() shape { return shape{max: 256, pattern: tagChars} }

func tagActions() map[string]action {
	return map[string]action{
		"AddTags": {
			bucket: mutating,
			params: map[string]shape{
				"ResourceArns.member.N": anyText(), "Tags.member.N.Key": tagKey(), "Tags.member.N.Value": tagValue(),
			},
			required: []string{"ResourceArns", "Tags"},
			run:      addTags,
		},
		"RemoveTags": {
			bucket:   mutating,
			params:   map[string]shape{"ResourceArns.member.N": anyText(), "TagKeys.member.N": tagKey()},
			required: []string{"ResourceArns", "TagKeys"},
			run:      removeTags,
		},
		"DescribeTags": {
			bucket:   nonMutating,
			params:   map[string]shape{"ResourceArns.member.N": anyText()},
			required: []string{"ResourceArns"},
			run:      describeTags,
		},
	}
}

// readTags reads Tags over the tags there were.
func (c *call) readTags(was map[string]string) (map[string]string, error) {
	out := maps.Clone(was)
	if out == nil {
		out = map[string]string{}
	}
	var seen []string
	for _, item := range c.items("Tags.member") {
		k := c.str(item + "Key")
		switch {
		case k == "":
			return nil, missing(c.service, item+"Key")
		case slices.Contains(seen, k):
			return nil, refuse("DuplicateTagKeys", "Duplicate tag key '%s' was specified", k)
		case strings.HasPrefix(strings.ToLower(k), "aws:"):
			return nil, invalid("aws: prefixed tag key names are not allowed for external use")
		}
		seen = append(seen, k)
		out[k] = c.str(item + "Value")
	}
	if len(out) > maxTags {
		return nil, refuse("TooManyTags", "The maximum number of tags per resource is %d", maxTags)
	}
	return out, nil
}

// tagged returns the tags of each resource of the call, all or none of them.
func (c *call) tagged() ([]string, []*map[string]string, error) {
	arns := unrepeated(c.list("ResourceArns.member"))
	var out []*map[string]string
	for _, arn := range arns {
		tags, err := c.tagsOf(arn)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, tags)
	}
	return arns, out, nil
}

// tagsOf returns the tags of the resource of an ARN. The default rule has none.
func (c *call) tagsOf(arn string) (*map[string]string, error) {
	switch {
	case strings.Contains(arn, ":loadbalancer/"):
		lb, err := c.findLoadBalancer(arn)
		switch {
		case err != nil:
			return nil, err
		case lb == nil:
			return nil, refuse("LoadBalancerNotFound", "Load balancer '%s' not found", arn)
		}
		return &lb.tags, nil
	case strings.Contains(arn, ":listener/"):
		l, err := c.findListener(arn)
		if err != nil {
			return nil, err
		}
		return &l.tags, nil
	case strings.Contains(arn, ":listener-rule/"):
		_, r, err := c.rule(arn)
		if err != nil {
			return nil, err
		}
		return &r.tags, nil
	}
	g, err := c.find(arn)
	switch {
	case err != nil:
		return nil, err
	case g == nil || c.now.Before(g.visible):
		return nil, refuse("TargetGroupNotFound", "Target groups '%s' not found", arn)
	}
	return &g.tags, nil
}

func addTags(c *call) (any, error) {
	_, resources, err := c.tagged()
	if err != nil {
		return nil, err
	}
	after := make([]map[string]string, len(resources))
	for i, tags := range resources {
		if after[i], err = c.readTags(*tags); err != nil {
			return nil, err
		}
	}
	for i, tags := range resources {
		*tags = after[i]
	}
	return empty{}, nil
}

func removeTags(c *call) (any, error) {
	_, resources, err := c.tagged()
	if err != nil {
		return nil, err
	}
	for _, tags := range resources {
		for _, k := range c.list("TagKeys.member") {
			delete(*tags, k)
		}
	}
	return empty{}, nil
}

type xmlTag struct{ Key, Value string }

type xmlTagged struct {
	ResourceArn string
	Tags        members[xmlTag]
}

func describeTags(c *call) (any, error) {
	if n := len(c.list("ResourceArns.member")); n > maxTagged {
		return nil, invalid("Cannot have more than %d resources described", maxTagged)
	}
	arns, resources, err := c.tagged()
	if err != nil {
		return nil, err
	}
	var out struct{ TagDescriptions members[xmlTagged] }
	for i, arn := range arns {
		x := xmlTagged{ResourceArn: arn}
		for _, k := range slices.Sorted(maps.Keys(*resources[i])) {
			x.Tags.Member = append(x.Tags.Member, xmlTag{k, (*resources[i])[k]})
		}
		out.TagDescriptions.Member = append(out.TagDescriptions.Member, x)
	}
	return out, nil
}
