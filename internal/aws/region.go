package aws

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
)

// regionPatterns and regions are those of the SDK's own table, which it does not
// export: internal/endpoints/awsrulesfn/partitions.json of aws-sdk-go-v2 v1.47.7.
var (
	regionPatterns = []*regexp.Regexp{
		regexp.MustCompile(`^(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+$`),
		regexp.MustCompile(`^cn-\w+-\d+$`),
		regexp.MustCompile(`^eusc-(de)-\w+-\d+$`),
		regexp.MustCompile(`^us-iso-\w+-\d+$`),
		regexp.MustCompile(`^us-isob-\w+-\d+$`),
		regexp.MustCompile(`^eu-isoe-\w+-\d+$`),
		regexp.MustCompile(`^us-isof-\w+-\d+$`),
		regexp.MustCompile(`^us-gov-\w+-\d+$`),
	}
	// regions is a hint, never a gate: AWS opens a region without asking us.
	regions = []string{
		"af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3",
		"ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3",
		"ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-central-1",
		"ca-west-1", "cn-north-1", "cn-northwest-1", "eu-central-1", "eu-central-2", "eu-isoe-west-1",
		"eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3",
		"eusc-de-east-1", "il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1",
		"us-east-1", "us-east-2", "us-gov-east-1", "us-gov-west-1", "us-iso-east-1", "us-iso-west-1",
		"us-isob-east-1", "us-isob-west-1", "us-isof-east-1", "us-isof-south-1", "us-west-1", "us-west-2",
	}
)

// RegionError is that there is no such region. Its class is ClassInvalidRegion.
type RegionError struct {
	// Region that was asked for.
	Region string
	// Endpoint is the Config's EndpointURL; empty for AWS's own.
	Endpoint string

	err error
}

// Error names the field and says what to do.
func (e *RegionError) Error() string {
	if e.Endpoint != "" {
		return fmt.Sprintf("spec.forProvider.region %q is not served by the ProviderConfig's endpoint %q: use the region of that endpoint, or another ProviderConfig", e.Region, e.Endpoint)
	}
	text := fmt.Sprintf("spec.forProvider.region %q is not an AWS region", e.Region)
	if s := similar(e.Region); s != "" {
		return fmt.Sprintf("%s: did you mean %q?", text, s)
	}
	return text + ": use the code of a region, such as eu-west-1"
}

// Unwrap returns what AWS or the resolver said; nil if nobody was asked.
func (e *RegionError) Unwrap() error { return e.err }

// checkRegion refuses a region that no partition can have. An endpoint of one's
// own may have regions of its own.
func checkRegion(region, endpoint string) error {
	if region == "" {
		return &RegionError{}
	}
	fits := func(p *regexp.Regexp) bool { return p.MatchString(region) }
	if endpoint == "" && !slices.ContainsFunc(regionPatterns, fits) {
		return &RegionError{Region: region}
	}
	return nil
}

// regionError says so if the first call in a region failed because there is no
// such region. AWS has no name for it: its hosts do not exist. A region that we
// know exists, so that then it is the resolver that fails.
func regionError(err error, region, endpoint string) error {
	var dns *net.DNSError
	unknownHost := errors.As(err, &dns) && dns.IsNotFound && endpoint == "" && !slices.Contains(regions, region)
	if unknownHost || Classify(err) == ClassInvalidRegion {
		return &RegionError{Region: region, Endpoint: endpoint, err: err}
	}
	return err
}

// wrongScope is in the message of SignatureDoesNotMatch if the region that we
// signed for is not the host's. The code alone would mean a wrong secret key.
const wrongScope = "Credential should be scoped to a valid region"

// similar is the known region that a typing error may have been, or empty.
func similar(region string) string {
	best, found := 3, ""
	region = strings.ToLower(strings.TrimSpace(region))
	for _, r := range regions {
		if d := distance(region, r); d < best {
			best, found = d, r
		}
	}
	return found
}

// distance is how many letters to change, add or leave out (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		previous := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := previous
			if a[i] != b[j] {
				change++
			}
			previous = row[j+1]
			row[j+1] = min(change, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
