package awssim_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// TestNoAnswerIsLostOnItsWay: a client of Config gets every answer, also a long one
// that comes before the client has looked for the end of what it sent.
func TestNoAnswerIsLostOnItsWay(t *testing.T) {
	t.Parallel()
	const group = "sg-0123456789abcdef0"
	sim := awssim.New(awssim.Options{})
	t.Cleanup(sim.Close)
	sim.SeedVPC(awssim.DefaultKey.Account, region, "vpc-0a")
	sim.SeedSecurityGroup(awssim.SecurityGroupSeed{Region: region, ID: group, Name: "nodes", VPC: "vpc-0a"})
	client := ec2.NewFromConfig(sim.Config(region))
	var ranges []ec2types.IpRange
	for i := range 60 {
		ranges = append(ranges, ec2types.IpRange{CidrIp: aws.String(fmt.Sprintf("192.0.2.%d/32", i))})
	}
	permissions := []ec2types.IpPermission{{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22), IpRanges: ranges}}
	for n := range 300 {
		_, err := client.AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: aws.String(group), IpPermissions: permissions})
		if err != nil {
			t.Fatalf("authorization %d: %v", n, err)
		}
		_, err = client.RevokeSecurityGroupIngress(t.Context(), &ec2.RevokeSecurityGroupIngressInput{GroupId: aws.String(group), IpPermissions: permissions})
		if err != nil {
			t.Fatalf("revocation %d: %v", n, err)
		}
	}
}
