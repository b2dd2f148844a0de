package controller_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/provider-nlb/provider-nlb/internal/controller"
)

func TestChangeAttributes(t *testing.T) {
	type kv = map[string]string

	cases := map[string]struct {
		reason             string
		want, have         kv
		managed            []string
		change             controller.AttributeChange
		remembered         []string
		note               string
		nothingElseToBeSet bool
	}{
		"Differs": {
			"Only what differs is sent.",
			kv{"a": "1", "b": "2"}, kv{"a": "1", "b": "1"}, nil,
			controller.AttributeChange{Set: kv{"b": "2"}}, []string{"a", "b"}, "", false,
		},
		"Undeclared": {
			"What nobody declared here stays.",
			nil, kv{"a": "7"}, nil,
			controller.AttributeChange{}, nil, "", true,
		},
		"NoLongerDeclared": {
			"It goes back to AWS's default, and is remembered until that is seen.",
			nil, kv{"a": "7"}, []string{"a"},
			controller.AttributeChange{Set: kv{"a": "0"}, Reset: []string{"a"}}, []string{"a"}, "", false,
		},
		"AtItsDefault": {
			"There is nothing to remember of what is at its default.",
			nil, kv{"a": "0"}, []string{"a"},
			controller.AttributeChange{}, nil, "", true,
		},
		"WithoutDefault": {
			"Nobody knows what it was, so it stays and that is said.",
			nil, kv{"hidden": "x"}, []string{"hidden"},
			controller.AttributeChange{Kept: kv{"hidden": "x"}}, []string{"hidden"},
			`no longer declared, but AWS documents no default to go back to: hidden keeps "x"`, true,
		},
		"Gone": {
			"AWS has it no more.",
			nil, kv{}, []string{"hidden"},
			controller.AttributeChange{}, nil, "", true,
		},
		"DeclaredAgain": {
			"What is declared is not reset.",
			kv{"a": "7"}, kv{"a": "7"}, []string{"a"},
			controller.AttributeChange{}, []string{"a"}, "", true,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := controller.ChangeAttributes(tc.want, tc.have, tc.managed, kv{"a": "0", "b": "0"})
			if diff := cmp.Diff(tc.change, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("\n%s\n-want, +got:\n%s", tc.reason, diff)
			}

			if diff := cmp.Diff(tc.remembered, controller.ManagedAttributeKeys(tc.want, got), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("\n%s\nmemory: -want, +got:\n%s", tc.reason, diff)
			}

			if got.Note() != tc.note || got.None() != tc.nothingElseToBeSet {
				t.Errorf("\n%s\nnote %q, none %v", tc.reason, got.Note(), got.None())
			}
		})
	}
}
