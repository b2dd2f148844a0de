package listener

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// ruleText is a rule in a word, such as "4a@1": IPv4 to a, priority 1.
func ruleText(r rule) string {
	group := "?"
	if len(r.forward.groups) == 1 {
		group = r.forward.groups[0].arn
	}

	return fmt.Sprintf("%s%s@%d", strings.TrimPrefix(r.source, "ipv"), group, r.priority)
}

func ruleTexts(rules []rule) string {
	out := make([]string, len(rules))
	for i, r := range rules {
		out[i] = ruleText(r)
	}

	return strings.Join(out, " ")
}

// claimed are the tags of our rules.
func claimed(tags map[string]string) bool { return tags["owner"] == "us" }

// rulesOf reads words of ruleText. The ARN of a rule is where it was. One whose tags are
// known begins with + if it is ours, and with - if it is not.
func rulesOf(t *testing.T, words string) []rule {
	t.Helper()

	var out []rule

	for _, w := range strings.Fields(words) {
		var r rule

		if owner, known := map[byte]string{'+': "us", '-': "others"}[w[0]]; known {
			r.tags, w = map[string]string{"owner": owner}, w[1:]
		}

		what, where, _ := strings.Cut(w, "@")
		if _, err := fmt.Sscan(where, &r.priority); err != nil || len(what) != 2 {
			t.Fatalf("%q is no rule: %v", w, err)
		}

		r.source, r.forward, r.arn = "ipv"+what[:1], forward{groups: []weighted{{arn: what[1:], weight: 1}}}, "arn@"+where
		out = append(out, r)
	}

	return out
}

func specOf(rules []rule) (*v1alpha1.ListenerParameters, wanted) {
	p, w := &v1alpha1.ListenerParameters{}, wanted{rules: map[int32][]weighted{}}
	for _, r := range rules {
		p.Rules = append(p.Rules, v1alpha1.ListenerRule{Priority: r.priority, SourceIPAddressType: r.source})
		w.rules[r.priority] = r.forward.groups
	}

	return p, w
}

func TestChangeRules(t *testing.T) {
	type want struct {
		create, move, modify, inTheWay, remove string
		managed                                []int32
	}

	cases := map[string]struct {
		reason     string
		have, spec string
		managed    []int32
		want       want
	}{
		"Same":      {"Nothing is to be done.", "4a@1", "4a@1", []int32{1}, want{managed: []int32{1}}},
		"New":       {"It is created.", "", "4a@1", nil, want{create: "4a@1", managed: []int32{1}}},
		"Moved":     {"Only its priority differs: it keeps its ARN.", "4a@9", "4a@1", []int32{1}, want{move: "4a@1", managed: []int32{1}}},
		"Swapped":   {"Two priorities in one call.", "4a@2 6b@1", "4a@1 6b@2", []int32{1, 2}, want{move: "4a@1 6b@2", managed: []int32{1, 2}}},
		"Rewritten": {"It stays where it is.", "4a@1", "6b@1", []int32{1}, want{modify: "6b@1", managed: []int32{1}}},
		"Both": {"For the same clients, so it is the same rule: the priority it had is remembered until it has moved.", "4a@9", "4b@1", []int32{9},
			want{move: "4b@1", modify: "4b@1", managed: []int32{1, 9}}},
		"InTheWay": {"AWS has one rule of a priority: what goes anyway goes before.", "6b@1 4a@2", "4a@1", []int32{1},
			want{move: "4a@1", inTheWay: "6b@1", managed: []int32{1}}},
		"Foreign":         {"Declared rules are the only ones.", "4a@1 6b@7", "4a@1", []int32{1}, want{remove: "6b@7", managed: []int32{1}}},
		"Undeclared":      {"Ours go, and are remembered until then; those of others stay.", "4a@1 6b@7", "", []int32{1}, want{remove: "4a@1", managed: []int32{1}}},
		"SwappedByOthers": {"Tags tell whose a rule is, wherever it is now.", "-4a@1 +6b@7", "", []int32{1}, want{remove: "6b@7", managed: []int32{7}}},
		"NoneOfOurs":      {"Rules of others stay.", "6b@7", "", nil, want{}},
		"SameWins":        {"A rule that is right is not taken for another.", "4a@1 4a@2", "4a@2 4b@3", []int32{2}, want{move: "4b@3", modify: "4b@3", managed: []int32{2, 3}}},
		"NothingLike":     {"A rule for other clients elsewhere is another rule.", "4a@1", "6b@2", []int32{1}, want{create: "6b@2", remove: "4a@1", managed: []int32{1, 2}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p, w := specOf(rulesOf(t, tc.spec))
			c := changeRules(p, w, rulesOf(t, tc.have), tc.managed, claimed)
			got := want{ruleTexts(c.create), ruleTexts(c.move), ruleTexts(c.modify), ruleTexts(c.inTheWay), ruleTexts(c.remove), c.managed}

			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(want{})); diff != "" {
				t.Errorf("\n%s\nchangeRules(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestRulesOfAnyWorldBecomeThoseDeclared: whatever rules there are, the calls in their
// order are ones that AWS takes, and the declared rules are the ones in the end.
func TestRulesOfAnyWorldBecomeThoseDeclared(t *testing.T) {
	for seed := range uint64(2000) {
		random := rand.New(rand.NewPCG(seed, 1))
		world := func() string {
			var words []string
			for _, priority := range random.Perm(6)[:random.IntN(5)] {
				words = append(words, fmt.Sprintf("%s%s@%d", []string{"4", "6"}[random.IntN(2)], []string{"a", "b", "c"}[random.IntN(3)], priority+1))
			}

			return strings.Join(words, " ")
		}
		before, spec := world(), world()

		have := rulesOf(t, before)
		aws := map[string]rule{}

		for _, r := range have {
			aws[r.arn] = r
		}

		p, w := specOf(rulesOf(t, spec))

		var managed []int32
		for _, r := range have {
			managed = append(managed, r.priority)
		}

		c := changeRules(p, w, have, managed, claimed)
		if err := obey(aws, c); err != nil {
			t.Fatalf("seed %d: %q to %q: %v", seed, before, spec, err)
		}

		var got []string
		for _, r := range aws {
			got = append(got, ruleText(r))
		}

		slices.Sort(got)

		want := strings.Fields(spec)
		slices.Sort(want)

		if diff := cmp.Diff(strings.Join(want, " "), strings.Join(got, " ")); diff != "" {
			t.Fatalf("seed %d: %q to %q: -want, +got:\n%s", seed, before, spec, diff)
		}

		if again := changeRules(p, w, slices.Collect(maps.Values(aws)), c.managed, claimed); !again.none() {
			t.Fatalf("seed %d: %q to %q: there is more to do: %v", seed, before, spec, again.differences())
		}
	}
}

// obey does what setRules does, to rules by ARN that obey AWS's law: one rule of a
// priority at any time.
func obey(aws map[string]rule, c ruleChange) error {
	unique := func() error {
		seen := map[int32]bool{}
		for _, r := range aws {
			if seen[r.priority] {
				return fmt.Errorf("PriorityInUse: %d", r.priority)
			}

			seen[r.priority] = true
		}

		return nil
	}

	for _, r := range c.inTheWay {
		delete(aws, r.arn)
	}

	for _, r := range c.move {
		was := aws[r.arn]
		was.priority = r.priority
		aws[r.arn] = was
	}

	if err := unique(); err != nil {
		return err
	}

	for _, r := range c.create {
		r.arn = "new@" + ruleText(r)
		aws[r.arn] = r

		if err := unique(); err != nil {
			return err
		}
	}

	for _, r := range c.modify {
		was := aws[r.arn]
		was.source, was.forward = r.source, r.forward
		aws[r.arn] = was
	}

	for _, r := range c.remove {
		delete(aws, r.arn)
	}

	return nil
}

func TestTagRules(t *testing.T) {
	want := map[string]string{"app": "edge"}
	set := controller.TagChange{Set: want}
	cases := map[string]struct {
		reason string
		keep   []rule
		want   []ruleTags
	}{
		"Same":    {"Nothing is to be done, and a foreign tag stays.", []rule{{arn: "1", tags: map[string]string{"app": "edge", "foreign": "x"}}}, nil},
		"Unknown": {"A rule that AWS does not see yet is told by the next look.", []rule{{arn: "1"}}, nil},
		"Alike": {"Rules that lack the same share a call.", []rule{
			{arn: "1", priority: 1, tags: map[string]string{}}, {arn: "2", priority: 2, tags: map[string]string{"app": "other"}},
		}, []ruleTags{{arns: []string{"1", "2"}, priorities: []int32{1, 2}, change: set}}},
		"Ours": {"A tag that we set and that is no longer wanted goes.", []rule{
			{arn: "1", priority: 1, tags: map[string]string{"app": "edge", "old": "x"}}, {arn: "2", priority: 2, tags: map[string]string{}},
		}, []ruleTags{
			{arns: []string{"1"}, priorities: []int32{1}, change: controller.TagChange{Set: map[string]string{}, Remove: []string{"old"}}},
			{arns: []string{"2"}, priorities: []int32{2}, change: set},
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tagRules(tc.keep, want, []string{"app", "old"}), cmp.AllowUnexported(ruleTags{})); diff != "" {
				t.Errorf("\n%s\ntagRules(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
