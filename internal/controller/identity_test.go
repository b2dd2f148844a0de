package controller

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

func TestDefaultName(t *testing.T) {
	cases := map[string]struct {
		reason          string
		namespace, name string
		want            string
	}{
		"ClusterScoped":     {"AWS accepts the object's name.", "", "edge", "edge"},
		"Namespaced":        {"The namespace comes first.", "shop", "edge", "shop-edge"},
		"ExactlyMax":        {"32 characters are accepted.", "", strings.Repeat("a", 32), strings.Repeat("a", 32)},
		"TooLong":           {"A readable beginning and a hash replace what is too long.", "", strings.Repeat("a", 33), strings.Repeat("a", 23) + "-8e26da09"},
		"Dots":              {"A dot is no letter that AWS takes.", "", "edge.example.com", "edge-example-com-f5a71c3a"},
		"Internal":          {"AWS keeps internal- for itself.", "", "internal-edge", "edge-39bdeec9"},
		"InternalNamespace": {"A namespace makes no difference to that.", "internal", "edge", "edge-578bb7f9"},
		"OnlyInternal":      {"Something readable is left in any case.", "", "internal-.", "nlb-a96d1a97"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, DefaultName("c1", tc.namespace, tc.name)); diff != "" {
				t.Errorf("\n%s\nDefaultName(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestDefaultNameIsAlwaysAccepted(t *testing.T) {
	for _, name := range []string{"a", "internal-internal-a", "a.b", strings.Repeat("a-", 40) + "b", strings.Repeat("a", 22) + "-b-" + strings.Repeat("c", 20), "internal-."} {
		for _, namespace := range []string{"", "internal", strings.Repeat("n", 63)} {
			got := DefaultName("c1", namespace, name)
			if len(got) > maxName || !validName.MatchString(got) || strings.HasPrefix(got, "internal-") {
				t.Errorf("DefaultName(%q, %q) = %q: AWS does not accept it", namespace, name, got)
			}
		}
	}
}

func TestDefaultNameTellsClustersApart(t *testing.T) {
	long := strings.Repeat("a", 40)
	if a, b := DefaultName("c1", "", long), DefaultName("c2", "", long); a == b {
		t.Errorf("two clusters derive the same name %q", a)
	}

	if a, b := DefaultName("c1", "ab", long), DefaultName("c1", "a", "b"+long); a == b {
		t.Errorf("two objects derive the same name %q", a)
	}
}

func tg(mutate ...func(*namespaced.TargetGroup)) *namespaced.TargetGroup {
	o := &namespaced.TargetGroup{
		TypeMeta:   metav1.TypeMeta{APIVersion: namespaced.SchemeGroupVersion.String(), Kind: "TargetGroup"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "edge", UID: "u1", Generation: 1},
	}
	o.Spec.ProviderConfigReference = &xpv2.ProviderConfigReference{Kind: "ClusterProviderConfig", Name: "default"}

	for _, m := range mutate {
		m(o)
	}

	return o
}

func TestClaim(t *testing.T) {
	ours := func() map[string]string { return Tags(tg(), "c1", nil, nil) }
	with := func(k, v string) map[string]string { m := ours(); m[k] = v; return m }
	cases := map[string]struct {
		reason string
		tags   map[string]string
		want   string
	}{
		"Ours":          {"All tags are equal: we created it and lost the answer.", ours(), ""},
		"OtherConfig":   {"The provider configuration may have been renamed.", with("crossplane-providerconfig", "other"), ""},
		"OtherCluster":  {"The same Git in another cluster must not fight for it.", with(TagCluster, "c2"), "another cluster"},
		"OtherObject":   {"It was created for another object.", with("crossplane-name", "other"), "was not created for this object"},
		"Foreign":       {"Somebody else created it.", map[string]string{"team": "edge"}, "was not created for this object"},
		"WithoutClustr": {"Tags of another provider's object of this name are not enough.", func() map[string]string { m := ours(); delete(m, TagCluster); return m }(), "another cluster"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := Claim(tg(), "c1", Found{What: `target group "shop-edge"`, ExternalName: "arn:x", Tags: tc.tags})
			if tc.want == "" {
				if err != nil {
					t.Errorf("\n%s\nClaim(...): %v", tc.reason, err)
				}

				return
			}

			var s Stalled
			if !errors.As(err, &s) || s.Reason != ReasonIdentityTaken || !strings.Contains(s.Message, tc.want) || !strings.Contains(s.Message, `external-name to "arn:x"`) {
				t.Errorf("\n%s\nClaim(...): want Stalled with %q and how to adopt it, got %v", tc.reason, tc.want, err)
			}
		})
	}
}

func TestTags(t *testing.T) {
	got := Tags(tg(), "c1",
		map[string]string{"team": "default", "cost": "1"},
		map[string]v1alpha1.TagValue{"team": "edge", "crossplane-name": "stolen", TagCluster: "stolen"})
	want := map[string]string{
		"team": "edge", "cost": "1", TagCluster: "c1",
		"crossplane-kind": "targetgroup.nlb.m.crossplane.io", "crossplane-name": "edge", "crossplane-namespace": "shop",
		"crossplane-providerconfig": "default", "crossplane-providerconfig-kind": "ClusterProviderConfig",
	}

	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("The object's tags win over defaults, and ours over both.\nTags(...): -want, +got:\n%s", diff)
	}
}

func TestAdoptedTags(t *testing.T) {
	type m = map[string]string

	want := m{TagCluster: "c1", "team": "edge"}
	cases := map[string]struct {
		reason  string
		have    m
		managed []string
		want    m
	}{
		"CreatedHere":      {"What we created keeps the mark.", m{TagCluster: "c1"}, nil, want},
		"CreatedElsewhere": {"What moves here from another cluster is marked anew.", m{TagCluster: "blue"}, nil, want},
		"MarkLost":         {"A mark that somebody removed is repaired: we remember that we set it.", m{}, []string{TagCluster}, want},
		"Adopted":          {"What somebody else created is not marked: a binding would take targets of others for its own to remove.", m{"owner": "me"}, nil, m{"team": "edge"}},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, AdoptedTags(want, tc.have, tc.managed)); diff != "" {
				t.Errorf("\n%s\nAdoptedTags(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestChangeTags(t *testing.T) {
	type m = map[string]string

	cases := map[string]struct {
		reason     string
		want, have m
		managed    []string
		change     TagChange
		keys       []string
	}{
		"Equal":    {"Nothing is to be done.", m{"a": "1"}, m{"a": "1"}, []string{"a"}, TagChange{Set: m{}}, []string{"a"}},
		"Missing":  {"What is missing is set.", m{"a": "1"}, m{}, nil, TagChange{Set: m{"a": "1"}}, []string{"a"}},
		"Empty":    {"An empty value is a value.", m{"a": ""}, m{}, nil, TagChange{Set: m{"a": ""}}, []string{"a"}},
		"Changed":  {"What differs is set.", m{"a": "1"}, m{"a": "2"}, nil, TagChange{Set: m{"a": "1"}}, []string{"a"}},
		"Unwanted": {"What we set and no longer want is removed, and remembered until it is.", m{}, m{"b": "1", "a": "1"}, []string{"b", "a"}, TagChange{Set: m{}, Remove: []string{"a", "b"}}, []string{"a", "b"}},
		"Foreign":  {"What others set stays.", m{}, m{"b": "1"}, nil, TagChange{Set: m{}}, []string{}},
		"Gone":     {"What is gone already is forgotten.", m{}, m{}, []string{"b"}, TagChange{Set: m{}}, []string{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := ChangeTags(tc.want, tc.have, tc.managed)
			if diff := cmp.Diff(tc.change, got); diff != "" {
				t.Errorf("\n%s\nChangeTags(...): -want, +got:\n%s", tc.reason, diff)
			}

			keys := ManagedTagKeys(tc.want, got)
			if diff := cmp.Diff(len(tc.keys), len(keys)); diff != "" {
				t.Errorf("\n%s\nManagedTagKeys(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
