package aws

import (
	"fmt"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// TestNoAnswerIsLost: AWS on loopback answers before the SDK has looked for the end of
// what it sent. The answer, which takes more than one read, must be there all the same:
// a second attempt would be told that it is a duplicate.
func TestNoAnswerIsLost(t *testing.T) {
	const group = "sg-0123456789abcdef0"
	sim := awssim.New(awssim.Options{})
	t.Cleanup(sim.Close)
	sim.SeedVPC(awssim.DefaultKey.Account, "eu-west-1", vpc)
	sim.SeedSecurityGroup(awssim.SecurityGroupSeed{Region: "eu-west-1", ID: group, Name: "nodes", VPC: vpc})
	url, err := sim.Start()
	if err != nil {
		t.Fatal(err)
	}
	a := access(t, NewPool(PoolOptions{}), keyed(url, awssim.DefaultKey.ID, awssim.DefaultKey.Secret), "eu-west-1")

	var ranges []ec2types.IpRange
	for i := range 60 {
		ranges = append(ranges, ec2types.IpRange{CidrIp: sdk.String(fmt.Sprintf("192.0.2.%d/32", i))})
	}
	permissions := []ec2types.IpPermission{{IpProtocol: sdk.String("tcp"), FromPort: sdk.Int32(22), ToPort: sdk.Int32(22), IpRanges: ranges}}
	// Without the step, one of the first thirty failed.
	for n := range 300 {
		_, err := a.EC2.AuthorizeSecurityGroupIngress(Prepaid(t.Context()), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: sdk.String(group), IpPermissions: permissions})
		if err != nil {
			t.Fatalf("authorization %d: %v", n, err)
		}
		_, err = a.EC2.RevokeSecurityGroupIngress(Prepaid(t.Context()), &ec2.RevokeSecurityGroupIngressInput{GroupId: sdk.String(group), IpPermissions: permissions})
		if err != nil {
			t.Fatalf("revocation %d: %v", n, err)
		}
	}
}
