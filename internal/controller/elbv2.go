package controller

import (
	"context"
	"maps"
	"slices"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/internal/aws"
)

// ELBv2Tags are tags as ELBv2 takes them, sorted.
func ELBv2Tags(tags map[string]string) []types.Tag {
	out := make([]types.Tag, 0, len(tags))
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, types.Tag{Key: &k, Value: sdk.String(tags[k])})
	}

	return out
}

// WriteELBv2Tags changes the tags of ARNs, by one call to set and one to remove. what
// they are is for an error.
func WriteELBv2Tags(ctx context.Context, elb aws.ELBv2, arns []string, what string, c TagChange) error {
	if len(c.Set) > 0 {
		if _, err := elb.AddTags(ctx, &elbv2.AddTagsInput{ResourceArns: arns, Tags: ELBv2Tags(c.Set)}); err != nil {
			return Failed("tag "+what, err)
		}
	}

	if len(c.Remove) > 0 {
		if _, err := elb.RemoveTags(ctx, &elbv2.RemoveTagsInput{ResourceArns: arns, TagKeys: c.Remove}); err != nil {
			return Failed("remove tags of "+what, err)
		}
	}

	return nil
}
