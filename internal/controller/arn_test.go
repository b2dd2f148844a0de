package controller

import (
	"testing"

	"github.com/crossplane/crossplane-runtime/v2/pkg/errors"
)

const anARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:"

func TestARNForm(t *testing.T) {
	cases := map[string]struct {
		reason, external, region, want string
	}{
		"None":         {"There is nothing to refuse.", "", "eu-west-1", ""},
		"Name":         {"A name is no ARN.", "edge", "eu-west-1", ""},
		"ARN":          {"It is one.", anARN + "loadbalancer/net/edge/8cf22fbeb90c5961", "eu-west-1", ""},
		"OtherType":    {"A Network Load Balancer would be made under its name.", anARN + "loadbalancer/app/edge/8cf22fbeb90c5961", "eu-west-1", "is not the ARN of a Network Load Balancer: set it to one, or to a name, or remove it"},
		"OtherKind":    {"AWS would take it for a name.", anARN + "targetgroup/edge/8cf22fbeb90c5961", "eu-west-1", "is not the ARN of a Network Load Balancer: set it to one, or to a name, or remove it"},
		"Listener":     {"A listener's begins with its load balancer's.", anARN + "loadbalancer/net/edge/8cf22fbeb90c5961/1", "eu-west-1", "is not the ARN of a Network Load Balancer: set it to one, or to a name, or remove it"},
		"OtherService": {"It is something else.", "arn:aws:ec2:eu-west-1:123456789012:loadbalancer/net/edge/1", "eu-west-1", "is not the ARN of a Network Load Balancer: set it to one, or to a name, or remove it"},
		"Short":        {"Half of it is no ARN.", "arn:aws:elasticloadbalancing", "eu-west-1", "is not the ARN of a Network Load Balancer: set it to one, or to a name, or remove it"},
		"OtherRegion":  {"AWS would say that it does not exist.", anARN + "loadbalancer/net/edge/8cf22fbeb90c5961", "us-east-1", "names a Network Load Balancer in region eu-west-1, but spec.forProvider.region is us-east-1: change one of them"},
	}
	form := ARNForm{What: "Network Load Balancer", Resource: "loadbalancer/net/", Slashes: 3, Named: true}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			want := tc.want
			switch {
			case want != "" && name != "OtherRegion":
				want = `annotation crossplane.io/external-name "` + tc.external + `" ` + want
			case want != "":
				want = "annotation crossplane.io/external-name " + want
			}

			checkStalled(t, tc.reason, want, want != "", form.Check(tc.external, tc.region))
		})
	}
}

func TestInRegion(t *testing.T) {
	const other = "spec.forProvider.loadBalancerArn is " + anARN + "x, which is in region eu-west-1, but spec.forProvider.region is us-east-1: name one of that region, or create a new Listener for the other region"

	cases := map[string]struct {
		reason, arn, region string
		referred            bool
		want                string
		stalled             bool
	}{
		"Same":     {"It is where it should be.", anARN + "x", "eu-west-1", false, "", false},
		"Other":    {"Only a change of the object helps.", anARN + "x", "us-east-1", false, other, true},
		"Referred": {"A change of the other object helps, too.", anARN + "x", "us-east-1", true, other, false},
		"None":     {"A reference that is not resolved is another matter.", "", "us-east-1", true, "", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			checkStalled(t, tc.reason, tc.want, tc.stalled, InRegion("loadBalancerArn", tc.arn, tc.region, "Listener", tc.referred))
		})
	}
}

func checkStalled(t *testing.T, reason, want string, stalled bool, err error) {
	t.Helper()

	got := ""
	if err != nil {
		got = err.Error()
	}

	if got != want || errors.As(err, new(Stalled)) != stalled {
		t.Errorf("\n%s\ngot  %q, stalled %t\nwant %q, stalled %t", reason, got, errors.As(err, new(Stalled)), want, stalled)
	}
}
