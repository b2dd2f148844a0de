package awssim_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

func (b *bench) describeGroups() error {
	_, err := b.elb.DescribeTargetGroups(b.ctx, &elbv2.DescribeTargetGroupsInput{})
	return err
}

func (b *bench) describeInstances(change func(*ec2.DescribeInstancesInput)) ([]string, error) {
	in := &ec2.DescribeInstancesInput{}
	if change != nil {
		change(in)
	}
	out, err := b.ec2.DescribeInstances(b.ctx, in)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, r := range out.Reservations {
		for _, i := range r.Instances {
			lines = append(lines, fmt.Sprintf("%s %s %s %s",
				aws.ToString(i.InstanceId), aws.ToString(i.Placement.AvailabilityZone), i.State.Name, aws.ToString(i.VpcId)))
		}
	}
	return lines, nil
}

func TestAuthentication(t *testing.T) {
	t.Parallel()
	const doc = "IAM reference_sigv-troubleshooting"
	key := func(id, secret, session string) func(b *bench) {
		return func(b *bench) {
			cfg := b.sim.Config(region)
			cfg.Credentials = credentials.NewStaticCredentialsProvider(id, secret, session)
			b.as(cfg)
		}
	}
	refused := func(change func(b *bench), elb, ec2 string) func(b *bench) {
		return func(b *bench) {
			change(b)
			b.refused(b.describeGroups(), elb)
			_, err := b.describeInstances(nil)
			b.refused(err, ec2)
		}
	}
	run(t, map[string]rule{
		"UnknownKey": {"An unknown key is an invalid token.", doc,
			refused(key("AKIANOBODY", "x", ""), "InvalidClientTokenId", "AuthFailure")},
		"WrongSecret": {"A wrong secret makes a wrong signature.", doc,
			refused(key(awssim.DefaultKey.ID, "wrong", ""), "SignatureDoesNotMatch", "AuthFailure")},
		"StrayToken": {"A long-term key has no session token.", doc,
			refused(key(awssim.DefaultKey.ID, awssim.DefaultKey.Secret, "token"), "InvalidClientTokenId", "AuthFailure")},
		"RemovedKey": {"A key that its user deleted is unknown.", doc,
			refused(func(b *bench) { b.sim.RemoveKey(awssim.DefaultKey.ID) }, "InvalidClientTokenId", "AuthFailure")},
		"UnknownRegion": {"A scope with a region that does not exist is not valid.", doc,
			refused(func(b *bench) { b.as(b.sim.Config("us-moon-1")) }, "SignatureDoesNotMatch", "AuthFailure")},
	})
}

// token is a web identity token for a subject; nobody signed it.
func token(subject string, expires time.Time) string {
	part := func(v any) string {
		b, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	return part(map[string]string{"alg": "none"}) + "." + part(map[string]any{"sub": subject, "exp": expires.Unix()}) + ".c2ln"
}

func TestIdentityRules(t *testing.T) {
	t.Parallel()
	const (
		doc     = "STS API_AssumeRole"
		account = "210987654321"
		role    = "arn:aws:iam::" + account + ":role/deploy"
		subject = "system:serviceaccount:crossplane-system:provider-nlb"
	)
	assume := func(b *bench, change func(*sts.AssumeRoleInput)) (*sts.AssumeRoleOutput, error) {
		in := &sts.AssumeRoleInput{RoleArn: aws.String(role), RoleSessionName: aws.String("test")}
		if change != nil {
			change(in)
		}
		return b.sts.AssumeRole(b.ctx, in)
	}
	run(t, map[string]rule{
		"WhoAmI": {"GetCallerIdentity says who makes the call.", "STS API_GetCallerIdentity", func(b *bench) {
			out, err := b.sts.GetCallerIdentity(b.ctx, &sts.GetCallerIdentityInput{})
			b.ok(err)
			diff(b.t, []string{awssim.DefaultAccount, "arn:aws:iam::123456789012:user/default"}, []string{*out.Account, *out.Arn})
		}},
		"AssumeRole": {"An assumed role acts in the role's account until its key expires.", doc, func(b *bench) {
			b.sim.SeedRole(awssim.Role{ARN: role})
			out, err := assume(b, nil)
			b.ok(err)
			cfg := b.sim.Config(region)
			cfg.Credentials = credentials.NewStaticCredentialsProvider(
				*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
			b.as(cfg)
			who, err := b.sts.GetCallerIdentity(b.ctx, &sts.GetCallerIdentityInput{})
			b.ok(err)
			diff(b.t, []string{account, "arn:aws:sts::210987654321:assumed-role/deploy/test"}, []string{*who.Account, *who.Arn})
			b.clock.Advance(time.Hour)
			b.refused(b.describeGroups(), "ExpiredToken")
			_, err = b.describeInstances(nil)
			b.refused(err, "RequestExpired")
		}},
		"UnknownRole": {"A role that does not exist is one that may not be assumed.", doc, func(b *bench) {
			_, err := assume(b, nil)
			b.refused(err, "AccessDenied")
		}},
		"ExternalID": {"A role may want an external id.", doc, func(b *bench) {
			b.sim.SeedRole(awssim.Role{ARN: role, ExternalID: "secret"})
			_, err := assume(b, nil)
			b.refused(err, "AccessDenied")
			_, err = assume(b, func(i *sts.AssumeRoleInput) { i.ExternalId = aws.String("secret") })
			b.ok(err)
		}},
		"Trust": {"A role says who may assume it.", doc, func(b *bench) {
			b.sim.SeedRole(awssim.Role{ARN: role, Trusted: []string{"111111111111"}})
			_, err := assume(b, nil)
			b.refused(err, "AccessDenied")
		}},
		"Duration": {"A session lasts 900-43200 seconds.", doc, func(b *bench) {
			b.sim.SeedRole(awssim.Role{ARN: role})
			_, err := assume(b, func(i *sts.AssumeRoleInput) { i.DurationSeconds = aws.Int32(899) })
			b.refused(err, "ValidationError")
		}},
		"WebIdentity": {"A role can be assumed with the token of its subject, without a key.", "STS API_AssumeRoleWithWebIdentity", func(b *bench) {
			b.sim.SeedRole(awssim.Role{ARN: role, Subject: subject})
			cfg := b.sim.Config(region)
			cfg.Credentials = aws.AnonymousCredentials{}
			b.as(cfg)
			try := func(token string) error {
				_, err := b.sts.AssumeRoleWithWebIdentity(b.ctx, &sts.AssumeRoleWithWebIdentityInput{
					RoleArn: aws.String(role), RoleSessionName: aws.String("test"), WebIdentityToken: &token,
				})
				return err
			}
			hour := b.clock.Now().Add(time.Hour)
			b.ok(try(token(subject, hour)))
			b.refused(try(token("somebody", hour)), "AccessDenied")
			b.refused(try(token(subject, b.clock.Now().Add(-time.Hour))), "ExpiredTokenException")
			b.refused(try("no token"), "InvalidIdentityToken")
		}},
	})
}

func TestDescribeInstancesRules(t *testing.T) {
	t.Parallel()
	const doc = "EC2 API_DescribeInstances"
	run(t, map[string]rule{
		"All": {"Every instance of the account and region.", doc, func(b *bench) {
			ids := b.instances(zoneA, 2)
			b.sim.SetInstanceState(ids[1], awssim.Stopped)
			b.sim.SeedInstance(awssim.Instance{ID: "i-0123456789abcdef0", Zone: "eu-west-1a", VPC: "vpc-0aaaaaaaaaaaaaaa0"})
			got, err := b.describeInstances(nil)
			b.ok(err)
			diff(b.t, []string{ids[0] + " us-east-1a running " + vpc, ids[1] + " us-east-1a stopped " + vpc}, got)
		}},
		"Unknown": {"One unknown id fails the whole call.", doc, func(b *bench) {
			ids := append(b.instances(zoneA, 1), "i-0123456789abcdef0")
			_, err := b.describeInstances(func(i *ec2.DescribeInstancesInput) { i.InstanceIds = ids })
			b.refused(err, "InvalidInstanceID.NotFound")
		}},
		"Malformed": {"An id is i- and hex digits.", "EC2 errors-overview", func(b *bench) {
			_, err := b.describeInstances(func(i *ec2.DescribeInstancesInput) { i.InstanceIds = []string{"web"} })
			b.refused(err, "InvalidInstanceID.Malformed")
		}},
		"Filter": {"Filters select; several values are alternatives.", doc, func(b *bench) {
			ids := append(b.instances(zoneA, 2), b.instances(zoneB, 1)...)
			b.sim.SetInstanceState(ids[0], awssim.Stopped)
			got, err := b.describeInstances(func(i *ec2.DescribeInstancesInput) {
				i.Filters = []ec2types.Filter{
					{Name: aws.String("instance-state-name"), Values: []string{"running", "pending"}},
					{Name: aws.String("availability-zone"), Values: []string{zoneA}},
				}
			})
			b.ok(err)
			diff(b.t, []string{ids[1] + " us-east-1a running " + vpc}, got)
		}},
		"UnknownFilter": {"An unknown filter is an invalid value.", doc, func(b *bench) {
			_, err := b.describeInstances(func(i *ec2.DescribeInstancesInput) {
				i.Filters = []ec2types.Filter{{Name: aws.String("typo"), Values: []string{"x"}}}
			})
			b.refused(err, "InvalidParameterValue")
		}},
		"UnknownParameter": {"A parameter that is not known is refused.", "EC2 errors-overview", func(b *bench) {
			_, err := b.describeInstances(func(i *ec2.DescribeInstancesInput) { i.IncludeManagedResources = aws.Bool(true) })
			b.refused(err, "UnknownParameter")
		}},
		"Pages": {"MaxResults bounds a page.", doc, func(b *bench) {
			ids := b.instances(zoneA, 7)
			var got []string
			p := ec2.NewDescribeInstancesPaginator(b.ec2, &ec2.DescribeInstancesInput{MaxResults: aws.Int32(5)})
			for p.HasMorePages() {
				out, err := p.NextPage(b.ctx)
				b.ok(err)
				for _, r := range out.Reservations {
					got = append(got, *r.Instances[0].InstanceId)
				}
			}
			diff(b.t, ids, got)
			diff(b.t, 2, b.sim.Count("DescribeInstances"))
		}},
		"Terminated": {"A terminated instance is described for about an hour.", "EC2 terminating-instances", func(b *bench) {
			id := b.instances(zoneA, 1)[0]
			b.sim.SetInstanceState(id, awssim.Terminated)
			got, err := b.describeInstances(nil)
			b.ok(err)
			diff(b.t, []string{id + " us-east-1a terminated " + vpc}, got)
			b.clock.Advance(time.Hour)
			_, err = b.describeInstances(func(i *ec2.DescribeInstancesInput) { i.InstanceIds = []string{id} })
			b.refused(err, "InvalidInstanceID.NotFound")
		}},
	})
}

func TestManyClientsAtOnce(t *testing.T) {
	t.Parallel()
	sim := awssim.New(awssim.Options{})
	defer sim.Close()
	b := &bench{t: t, ctx: t.Context(), sim: sim}
	b.as(sim.Config(region))
	arn, ids := b.used("web"), b.instances(zoneA, 20)
	var wg sync.WaitGroup
	for _, id := range ids {
		wg.Go(func() {
			for _, err := range []error{b.register(arn, id), b.register(arn, id), b.deregister(arn, id), b.register(arn, id)} {
				if err != nil {
					t.Error(err)
				}
			}
			sim.SetAccepting(id, 80, true)
			sim.Targets(arn)
		})
	}
	wg.Wait()
	if n := len(sim.Targets(arn)); n != 20 || sim.Count("RegisterTargets") != 60 {
		t.Errorf("%d targets after %d registrations, want 20 after 60", n, sim.Count("RegisterTargets"))
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		sick := slices.DeleteFunc(sim.Targets(arn), func(t awssim.Target) bool { return t.State == awssim.Healthy })
		if len(sick) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("not healthy within 20 s of real time: %v", sick)
		}
	}
}

func TestCommandLineInterface(t *testing.T) {
	t.Parallel()
	path, err := exec.LookPath("aws")
	if err != nil {
		t.Skip("the AWS CLI is not installed")
	}
	b := newBench(t, awssim.Options{})
	arn, id := b.used("web"), b.instances(zoneA, 1)[0]
	cli := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), path, append(args, "--endpoint-url", b.sim.URL(), "--region", region, "--output", "json")...)
		cmd.Env = append(cmd.Environ(), "AWS_ACCESS_KEY_ID="+awssim.DefaultKey.ID, "AWS_SECRET_ACCESS_KEY="+awssim.DefaultKey.Secret,
			"AWS_MAX_ATTEMPTS=1", "AWS_PAGER=")
		out, err := cmd.CombinedOutput()
		if err != nil && !strings.Contains(string(out), "An error occurred") {
			t.Fatalf("aws %v: %v: %s", args, err, out)
		}
		return strings.Join(strings.Fields(string(out)), " ")
	}
	cli("elbv2", "register-targets", "--target-group-arn", arn, "--targets", "Id="+id)
	for _, want := range []struct{ got, want string }{
		{cli("elbv2", "describe-target-health", "--target-group-arn", arn), `"Reason": "Elb.RegistrationInProgress"`},
		{cli("ec2", "describe-instances", "--instance-ids", id), `"InstanceId": "` + id + `"`},
		{cli("sts", "get-caller-identity"), `"Account": "123456789012"`},
		{cli("elbv2", "delete-target-group", "--target-group-arn", arn), "(ResourceInUse)"},
		{cli("elbv2", "describe-load-balancers"), `"LoadBalancers": []`},
		{cli("elbv2", "describe-trust-stores"), "(InvalidAction)"},
	} {
		if !strings.Contains(want.got, want.want) {
			t.Errorf("got %s, want %s in it", want.got, want.want)
		}
	}
}
