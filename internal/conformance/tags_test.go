package conformance

import (
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/google/go-cmp/cmp"

	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

// tags of something in AWS.
func (w *world) tags(t *testing.T, id string) map[string]string {
	t.Helper()

	got := map[string]string{}

	if strings.HasPrefix(id, "arn:") {
		out, err := w.ELB.DescribeTags(t.Context(), &elbv2.DescribeTagsInput{ResourceArns: []string{id}})
		kindtest.Must(t, err)

		for _, tag := range out.TagDescriptions[0].Tags {
			got[*tag.Key] = *tag.Value
		}

		return got
	}

	out, err := w.EC2.DescribeTags(t.Context(), &ec2.DescribeTagsInput{Filters: []ec2types.Filter{{Name: ptr("resource-id"), Values: []string{id}}}})
	kindtest.Must(t, err)

	for _, tag := range out.Tags {
		got[*tag.Key] = *tag.Value
	}

	return got
}

func (w *world) untag(t *testing.T, id, key string) {
	t.Helper()

	var err error

	if strings.HasPrefix(id, "arn:") {
		_, err = w.ELB.RemoveTags(t.Context(), &elbv2.RemoveTagsInput{ResourceArns: []string{id}, TagKeys: []string{key}})
	} else {
		_, err = w.EC2.DeleteTags(t.Context(), &ec2.DeleteTagsInput{Resources: []string{id}, Tags: []ec2types.Tag{{Key: &key}}})
	}

	kindtest.Must(t, err)
}

func TestTagsComeBackByOneCallAndThoseOfOthersStay(t *testing.T) {
	everyMaker(t, func(t *testing.T, w *world) {
		mg := w.applied(t)
		id := w.kind.found(t, w)[0]
		want := maps.Clone(w.tags(t, id))
		want["foreign"] = "stays"

		w.Paused(t, mg, func() {
			w.tag(t, id, "foreign", "stays")
			w.tag(t, id, "crossplane-name", "another")
			w.untag(t, id, "crossplane-kind")
		})
		eventually(t, "our tags are there again", func() bool { return cmp.Equal(want, w.tags(t, id)) })
		w.UntilApplied(t, mg)

		if diff := cmp.Diff(want, w.tags(t, id)); diff != "" {
			t.Errorf("-want, +got:\n%s", diff)
		}

		set := "AddTags"
		if !strings.HasPrefix(id, "arn:") {
			set = "CreateTags"
		}

		if diff := cmp.Diff([]string{set}, w.writes()); diff != "" {
			t.Errorf("the provider's writes: -want, +got:\n%s", diff)
		}
	})
}
