package controller

import (
	"maps"
	"slices"

	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

// TagCluster marks everything that we create with the id of the cluster.
const TagCluster = "nlb.crossplane.io/cluster"

// identityTags say which object something in AWS belongs to. They are those of
// the runtime without the provider configuration, which may be another one
// tomorrow.
func identityTags(mg resource.Managed) map[string]string {
	tags := resource.GetExternalTags(mg)
	maps.DeleteFunc(tags, func(k, _ string) bool {
		return k == resource.ExternalResourceTagKeyProvider || k == resource.ExternalResourceTagKeyProviderConfigKind
	})

	return tags
}

// Tags that an object's resource in AWS should have: the runtime's and the
// cluster's, which nobody may change, the object's own, and the defaults of its
// provider configuration.
func Tags(mg resource.Managed, clusterID string, defaults map[string]string, own map[string]v1alpha1.TagValue) map[string]string {
	tags := maps.Clone(defaults)
	if tags == nil {
		tags = map[string]string{}
	}

	maps.Copy(tags, plain(own))
	maps.Copy(tags, resource.GetExternalTags(mg))
	tags[TagCluster] = clusterID

	return tags
}

// AdoptedTags are the tags that something which was found should have. The
// cluster's mark says who created it, and so who may remove what others put into
// it: it is not given to what none of our clusters created.
func AdoptedTags(want, have map[string]string, managed []string) map[string]string {
	if _, marked := have[TagCluster]; marked || slices.Contains(managed, TagCluster) {
		return want
	}

	want = maps.Clone(want)
	delete(want, TagCluster)

	return want
}

// A TagChange is what makes the tags that something has those that it should have.
type TagChange struct {
	Set    map[string]string
	Remove []string
}

// None says that nothing is to be done.
func (c TagChange) None() bool { return len(c.Set) == 0 && len(c.Remove) == 0 }

// ChangeTags returns what to set, and which of the keys that we manage to remove.
// Tags of others stay.
func ChangeTags(want, have map[string]string, managed []string) TagChange {
	c := TagChange{Set: map[string]string{}}

	for k, v := range want {
		if had, ok := have[k]; !ok || had != v {
			c.Set[k] = v
		}
	}

	for _, k := range managed {
		_, wanted := want[k]
		if _, there := have[k]; there && !wanted {
			c.Remove = append(c.Remove, k)
		}
	}

	slices.Sort(c.Remove)

	return c
}

// ManagedTagKeys is the memory of which tags are ours: those that we want, and
// those that are still to be removed.
func ManagedTagKeys(want map[string]string, c TagChange) []string {
	keys := append(slices.Collect(maps.Keys(want)), c.Remove...)
	slices.Sort(keys)

	return keys
}
