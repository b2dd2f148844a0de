package apis_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// input finds what the SDK is called with.
var input = regexp.MustCompile(`\b(elbv2|ec2)\.([A-Z]\w+)Input\{`)

// implied are actions that the provider calls by no name of their own: AWS takes them
// for the caller's when it does what was asked for, and tags what is created.
var implied = []string{
	"ec2:DescribeAccountAttributes", "ec2:DescribeAddresses", "ec2:DescribeInstances", "ec2:DescribeInternetGateways",
	"ec2:DescribeSubnets", "ec2:DescribeVpcs", "ec2:GetSecurityGroupsForVpc", "iam:CreateServiceLinkedRole",
}

// TestPolicyAllowsWhatIsCalled: the documented IAM policy allows each action that the
// provider calls, and none besides.
func TestPolicyAllowsWhatIsCalled(t *testing.T) {
	want := slices.Clone(implied)

	err := filepath.WalkDir("../internal", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && slices.Contains([]string{"awssim", "kindtest", "conformance"}, d.Name()) {
				return fs.SkipDir
			}

			return err
		}

		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}

		data, err := os.ReadFile(path)
		for _, found := range input.FindAllStringSubmatch(string(data), -1) {
			want = append(want, map[string]string{"elbv2": "elasticloadbalancing", "ec2": "ec2"}[found[1]]+":"+found[2])
		}

		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	data, err := os.ReadFile("../examples/iam/policy.json")
	if err != nil {
		t.Fatal(err)
	}

	policy := struct{ Statement []struct{ Action any } }{}
	if err := json.Unmarshal(data, &policy); err != nil {
		t.Fatal(err)
	}

	var have []string

	for _, s := range policy.Statement {
		switch a := s.Action.(type) {
		case string:
			have = append(have, a)
		case []any:
			for _, one := range a {
				have = append(have, one.(string)) //nolint:forcetypeassert // AWS allows strings only.
			}
		}
	}

	slices.Sort(want)
	slices.Sort(have)

	if diff := cmp.Diff(slices.Compact(want), slices.Compact(have)); diff != "" {
		t.Errorf("actions: -called, +allowed:\n%s", diff)
	}
}
