package aws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"
)

var errRefused = syscall.ECONNREFUSED

func answer(code, message string) error {
	return fmt.Errorf("cannot do it: %w", &smithy.OperationError{ServiceID: "ELB", OperationName: "X", Err: &smithy.GenericAPIError{Code: code, Message: message}})
}

func status(code int) error {
	return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: code}}, Err: errors.New("html")}
}

func TestClassify(t *testing.T) {
	cases := map[string]struct {
		reason string
		err    error
		want   Class
	}{
		"None":               {"No error has no class.", nil, ClassNone},
		"NotFound":           {"What was named does not exist.", answer("TargetGroupNotFound", ""), ClassNotFound},
		"Modelled":           {"A typed exception has the class of its code, not of its Go name.", &types.ALPNPolicyNotSupportedException{}, ClassTerminal},
		"Exists":             {"Somebody has the name.", answer("DuplicateTargetGroupName", ""), ClassExists},
		"Conflict":           {"A listener still uses it.", answer("ResourceInUse", ""), ClassConflict},
		"Quota":              {"A limit is reached.", answer("TargetGroupAssociationLimit", ""), ClassQuota},
		"QuotaByName":        {"Every TooMany is a quota, also one to come.", answer("TooManyWhatever", ""), ClassQuota},
		"Dependency":         {"An instance may not be running yet.", answer("InvalidTarget", ""), ClassDependency},
		"Terminal":           {"Time does not cure values.", answer("ValidationError", ""), ClassTerminal},
		"TerminalByModel":    {"The SDK refuses what misses a required field.", smithy.InvalidParamsError{Context: "X"}, ClassTerminal},
		"Throttled":          {"ELBv2 says Throttling.", answer("Throttling", ""), ClassThrottled},
		"ThrottledToo":       {"TooManyRequestsException is not a quota.", answer("TooManyRequestsException", ""), ClassThrottled},
		"ThrottledByUs":      {"Waiting in vain for our own bucket is the same to the user.", &waitError{err: context.Canceled}, ClassThrottled},
		"ThrottledByStatus":  {"429 without a code.", status(429), ClassThrottled},
		"Denied":             {"A policy does not allow it.", answer("AccessDenied", ""), ClassDenied},
		"WrongKey":           {"The signature is wrong because the key is.", answer("SignatureDoesNotMatch", "The request signature we calculated does not match"), ClassDenied},
		"DeniedByStatus":     {"403 without a code, from a proxy.", status(403), ClassDenied},
		"InvalidRegion":      {"The signature is wrong because the region is.", answer("SignatureDoesNotMatch", "Credential should be scoped to a valid region."), ClassInvalidRegion},
		"RegionError":        {"Found out before any call.", &RegionError{Region: "x"}, ClassInvalidRegion},
		"Transient":          {"AWS failed.", answer("InternalFailure", ""), ClassTransient},
		"HealthUnavailable":  {"DescribeTargetHealth has its own 500.", answer("HealthUnavailable", ""), ClassTransient},
		"TransientStatus":    {"503 without a code.", status(503), ClassTransient},
		"Canceled":           {"The caller gave up: nothing is known.", context.Canceled, ClassTransient},
		"Deadline":           {"So is a deadline.", fmt.Errorf("x: %w", context.DeadlineExceeded), ClassTransient},
		"Network":            {"AWS was not reached.", &smithyhttp.RequestSendError{Err: errRefused}, ClassTransient},
		"Unknown":            {"A code that nobody knows is no reason to give up for ever.", answer("BrandNew", ""), ClassUnknown},
		"UnknownGo":          {"An error that is not AWS's is not judged.", errors.New("x"), ClassUnknown},
		"CredentialsInvalid": {"STS's ValidationError is about the ProviderConfig: the object must not be Stalled.", &credentialsError{err: answer("ValidationError", "")}, ClassDenied},
		"CredentialsMissing": {"A missing token file is no network error.", &credentialsError{err: errors.New("no such file")}, ClassDenied},
		"CredentialsLate":    {"STS may fail as others do.", &credentialsError{err: answer("ServiceUnavailable", "")}, ClassTransient},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Classify(tc.err); got != tc.want {
				t.Errorf("%s\ngot %q, want %q", tc.reason, got, tc.want)
			}
			if got := Classify(Wrap(tc.err)); got != tc.want {
				t.Errorf("wrapping changed the class to %q", got)
			}
		})
	}
}

func TestNeedsChange(t *testing.T) {
	var got []Class
	for _, c := range []Class{ClassNone, ClassUnknown, ClassNotFound, ClassExists, ClassConflict, ClassQuota, ClassDependency, ClassTerminal, ClassThrottled, ClassDenied, ClassInvalidRegion, ClassTransient} {
		if c.NeedsChange() {
			got = append(got, c)
		}
	}
	if diff := cmp.Diff([]Class{ClassExists, ClassTerminal, ClassInvalidRegion}, got); diff != "" {
		t.Errorf("only these make an object Stalled\n-want, +got:\n%s", diff)
	}
}

func TestAbsentIsOneCodeOnly(t *testing.T) {
	cases := map[string]struct {
		reason string
		err    error
		want   bool
	}{
		"Exact":       {"The code of the call.", answer("TargetGroupNotFound", ""), true},
		"Typed":       {"The SDK's type has the same code.", &types.TargetGroupNotFoundException{}, true},
		"Other":       {"Another thing's absence is not this one's.", answer("LoadBalancerNotFound", ""), false},
		"Denied":      {"Not allowed to look is not absent.", answer("AccessDenied", "TargetGroupNotFound"), false},
		"Throttled":   {"Neither is too early.", answer("Throttling", ""), false},
		"Status":      {"Neither is a 404 of a proxy.", status(404), false},
		"None":        {"Nor success.", nil, false},
		"Credentials": {"Nor a role that is not found.", &credentialsError{err: answer("TargetGroupNotFound", "")}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := IsNotFound(tc.err, "TargetGroupNotFound"); got != tc.want {
				t.Errorf("%s\ngot %v, want %v", tc.reason, got, tc.want)
			}
		})
	}
}

func TestDescribe(t *testing.T) {
	cases := map[string]struct {
		reason string
		err    error
		want   string
	}{
		"None":   {"No error, no text.", nil, ""},
		"Answer": {"Code and message are what the user can search for.", answer("ValidationError", "'x' is not a valid name"), "ValidationError: 'x' is not a valid name"},
		"EC2Denied": {
			"EC2 encrypts the details anew each time.",
			answer("UnauthorizedOperation", "You are not authorized to perform this operation. Encoded authorization failure message: AbC-_1dEf=="),
			"UnauthorizedOperation: You are not authorized to perform this operation.",
		},
		"Certificate":  {"The id in an ARN is what it is about.", answer("CertificateNotFound", "Certificate 'arn:aws:acm:eu-west-1:1:certificate/12345678-1234-1234-1234-123456789012' not found"), "CertificateNotFound: Certificate 'arn:aws:acm:eu-west-1:1:certificate/12345678-1234-1234-1234-123456789012' not found"},
		"RequestID":    {"Some messages carry it.", answer("AccessDenied", "Not allowed (Request ID: 12345678-1234-1234-1234-123456789012)"), "AccessDenied: Not allowed"},
		"Clock":        {"The times differ in each; what to do does not.", answer("SignatureDoesNotMatch", "Signature expired: 20260101T000000Z is now earlier than 20260101T001500Z (20260101T003000Z - 15 min.)"), "SignatureDoesNotMatch: the time of the request is not AWS's time: check this machine's clock"},
		"TokenExpired": {"So do those of a token.", answer("ExpiredTokenException", "Token expired: current date/time 1767225600 must be before the expiration date/time 1767222000"), "ExpiredTokenException: Token expired: current date/time … must be before the expiration date/time …"},
		"Target":       {"An address is what it is about.", answer("InvalidTarget", "The target 10.0.0.1:8080 is outside the VPC"), "InvalidTarget: The target 10.0.0.1:8080 is outside the VPC"},
		"Unknown":      {"What we do not know loses hosts, ports and ids.", errors.New(`Post "https://sts.eu-west-1.amazonaws.com/": read tcp 10.0.0.1:43210->52.1.2.3:443: use of a closed thing`), `Post "AWS": read tcp …->…: use of a closed thing`},
		"Credentials":  {"Whose credentials, then AWS's words.", &credentialsError{what: "of role arn:aws:iam::1:role/x", err: answer("AccessDenied", "no")}, "cannot get credentials of role arn:aws:iam::1:role/x: AccessDenied: no"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Describe(tc.err)); diff != "" {
				t.Errorf("%s\n-want, +got:\n%s", tc.reason, diff)
			}
			if again := Describe(fmt.Errorf("cannot read: %w", Wrap(tc.err))); tc.err != nil && again != tc.want {
				t.Errorf("wrapped once more it reads %q", again)
			}
		})
	}
}

func TestWrapKeepsTheOriginal(t *testing.T) {
	original := &types.TargetGroupNotFoundException{}
	err := Wrap(Wrap(original))
	var typed *types.TargetGroupNotFoundException
	if !errors.As(err, &typed) || typed != original || Wrap(nil) != nil {
		t.Errorf("%v does not unwrap to the original, or nil became an error", err)
	}
}

func TestInvalidTargetIDs(t *testing.T) {
	cases := map[string]struct {
		reason string
		err    error
		want   []string
	}{
		"Instances": {"AWS quotes them, with commas between.", answer("InvalidTarget", "The following targets are not in a running state and cannot be registered: 'i-0123456789abcdef0', 'i-01234567'"), []string{"i-0123456789abcdef0", "i-01234567"}},
		"Addresses": {"For target type ip they are addresses of both families.", answer("InvalidTarget", "Targets 10.0.0.1, 2001:db8::1 are not within the VPC."), []string{"10.0.0.1", "2001:db8::1"}},
		"Blocks":    {"The VPC's own block is no target.", answer("InvalidTarget", "10.0.0.1 is not within 192.168.0.0/16"), []string{"10.0.0.1"}},
		"Twice":     {"Each once.", answer("InvalidTarget", "i-01234567, i-01234567."), []string{"i-01234567"}},
		"NoNames":   {"Then the caller bisects.", answer("InvalidTarget", "One or more targets are invalid"), nil},
		"Malformed": {"An id that could not be one is not guessed.", answer("InvalidTarget", "i-xyz"), nil},
		"OtherCode": {"Other errors name instances for other reasons.", answer("ValidationError", "i-01234567"), nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, InvalidTargetIDs(tc.err)); diff != "" {
				t.Errorf("%s\n-want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
