package awssim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The signature that every call but the unsigned ones carries.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

const (
	algorithm  = "AWS4-HMAC-SHA256"
	signedTime = "20060102T150405Z"
	// maxSkew is how far the caller's clock may be off. The signature's time is
	// compared with the machine's clock and not with the Sim's: the SDK signs
	// with the former.
	maxSkew = 5 * time.Minute
)

// authorization is the content of the Authorization header.
type authorization struct {
	keyID, date, region, service string
	headers                      []string
	signature                    string
}

func parseAuthorization(r *http.Request) (authorization, bool) {
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), algorithm+" ")
	if !ok {
		return authorization{}, false
	}
	fields := map[string]string{}
	for _, part := range strings.Split(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[name] = value
	}
	credential := strings.Split(fields["Credential"], "/")
	if len(credential) != 5 || fields["SignedHeaders"] == "" || fields["Signature"] == "" {
		return authorization{}, false
	}
	return authorization{
		keyID: credential[0], date: credential[1], region: credential[2], service: credential[3],
		headers:   strings.Split(fields["SignedHeaders"], ";"),
		signature: fields["Signature"],
	}, true
}

// scope says which service and region a call is for. A call without a signature
// is told by the version of the API.
func scope(r *http.Request, version string) (service, region string) {
	if a, ok := parseAuthorization(r); ok {
		return a.service, a.region
	}
	for s, v := range versions {
		if v == version {
			return s, ""
		}
	}
	return "", ""
}

// authenticate finds out who makes a call, and that they may say so.
func (s *Sim) authenticate(r *http.Request, body []byte, c *call) (identity, error) {
	a, ok := parseAuthorization(r)
	switch {
	case !ok && r.Header.Get("Authorization") == "":
		return identity{}, forbidden("MissingAuthenticationToken", "Request is missing Authentication Token")
	case !ok:
		return identity{}, refuse("IncompleteSignature", "Authorization header is not a valid SigV4 header.")
	case !s.regionExists(a.region):
		// No endpoint has the name of a region that does not exist; at one that
		// exists, this is the answer to a scope that is not its own.
		return identity{}, mismatch(c, "Credential should be scoped to a valid region.")
	}
	s.mu.Lock()
	k := s.keys[a.keyID]
	now := s.clock.Now()
	s.mu.Unlock()
	switch {
	case k == nil || k.session != r.Header.Get("X-Amz-Security-Token"):
		if c.service == ServiceEC2 {
			return identity{}, unauthorized()
		}
		return identity{}, forbidden("InvalidClientTokenId", "The security token included in the request is invalid.")
	case !k.expires.IsZero() && !now.Before(k.expires):
		if c.service == ServiceEC2 {
			return identity{}, refuse("RequestExpired", "Request has expired.")
		}
		return identity{}, forbidden("ExpiredToken", "The security token included in the request is expired")
	case a.sign(r, body, k.Secret) != a.signature:
		if c.service == ServiceEC2 {
			return identity{}, unauthorized()
		}
		return identity{}, mismatch(c, "The request signature we calculated does not match the signature you provided."+
			" Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	if at, err := time.Parse(signedTime, r.Header.Get("X-Amz-Date")); err != nil || time.Since(at).Abs() > maxSkew {
		if c.service == ServiceEC2 {
			return identity{}, refuse("RequestExpired", "Request has expired.")
		}
		return identity{}, mismatch(c, "Signature expired: "+r.Header.Get("X-Amz-Date")+" is not within 5 min. of now")
	}
	return k.identity, nil
}

func mismatch(c *call, message string) error {
	if c.service == ServiceEC2 {
		return unauthorized()
	}
	return forbidden("SignatureDoesNotMatch", "%s", message)
}

// sign computes the signature that the call should carry.
func (a authorization) sign(r *http.Request, body []byte, secret string) string {
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	canonical := strings.Join([]string{
		r.Method,
		path,
		strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20"),
		canonicalHeaders(r, a.headers),
		strings.Join(a.headers, ";"),
		hash(body),
	}, "\n")
	scoped := strings.Join([]string{a.date, a.region, a.service, "aws4_request"}, "/")
	toSign := strings.Join([]string{algorithm, r.Header.Get("X-Amz-Date"), scoped, hash([]byte(canonical))}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{a.date, a.region, a.service, "aws4_request"} {
		key = mac(key, part)
	}
	return hex.EncodeToString(mac(key, toSign))
}

// canonicalHeaders are the signed headers, each on a line of its own.
func canonicalHeaders(r *http.Request, names []string) string {
	var b strings.Builder
	for _, name := range names {
		var value string
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = strconv.FormatInt(r.ContentLength, 10)
		default:
			values := slices.Clone(r.Header.Values(name))
			for i, v := range values {
				values[i] = strings.Join(strings.Fields(v), " ")
			}
			value = strings.Join(values, ",")
		}
		b.WriteString(name + ":" + value + "\n")
	}
	return b.String()
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, data string) []byte {
	h := hmac.New(sha256.New, key)
	_, _ = h.Write([]byte(data))
	return h.Sum(nil)
}

// partition is the part of AWS that a region belongs to, as ARNs name it.
func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	default:
		return "aws"
	}
}

// regions that exist: https://docs.aws.amazon.com/general/latest/gr/elb.html
var regions = []string{
	"af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3",
	"ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4",
	"ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1",
	"cn-north-1", "cn-northwest-1", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1",
	"eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1",
	"mx-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-gov-east-1", "us-gov-west-1",
	"us-west-1", "us-west-2",
}
