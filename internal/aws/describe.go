package aws

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"syscall"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Wrap gives an error a text that is the same whenever its cause is the same:
// without request id, host, address, time or attempt. errors.Is and errors.As see
// the original. What a client returns is stable already; Wrap takes the SDK's
// "operation error …" from it, so that the text is that of Describe. An error with
// words of ours around it keeps them.
func Wrap(err error) error {
	if err == nil {
		return nil
	}
	var own steady
	_, sdks := err.(*smithy.OperationError) //nolint:errorlint // Of this layer only.
	if !sdks && errors.As(err, &own) {
		return err
	}
	return &stableError{text: Describe(err), err: err}
}

// stable is Wrap for the outermost layer that is ours: what the SDK has put around
// a text of ours goes, too.
func stable(err error) error {
	if err == nil {
		return nil
	}
	if _, own := err.(steady); own { //nolint:errorlint // Of this layer only.
		return err
	}
	return &stableError{text: Describe(err), err: err}
}

// steady are the errors whose own text is stable, and says more than its cause's.
type steady interface {
	error
	steady()
}

func (*stableError) steady()      {}
func (*waitError) steady()        {}
func (*silenceError) steady()     {}
func (*credentialsError) steady() {}
func (*RegionError) steady()      {}
func (configError) steady()       {}

type stableError struct {
	text string
	err  error
}

func (e *stableError) Error() string { return e.text }

func (e *stableError) Unwrap() error { return e.err }

// Describe is a stable text for a condition: what AWS or the network said, without
// what callers and the SDK put before it. Empty for no error.
func Describe(err error) string {
	if err == nil {
		return ""
	}
	var own steady
	if errors.As(err, &own) {
		return own.Error()
	}
	return describe(err)
}

func describe(err error) string {
	var (
		api    smithy.APIError
		params smithy.InvalidParamsError
	)
	switch {
	case Code(err) != "":
		errors.As(err, &api)
		return api.ErrorCode() + ": " + stableMessage(api.ErrorCode(), api.ErrorMessage())
	case errors.As(err, &params):
		return strings.TrimSpace(params.Error())
	}
	if s := describeSilence(err); s != "" {
		return s
	}
	return erase(err.Error(), volatile, local)
}

// describeSilence is for errors that AWS did not send; empty if it is none.
func describeSilence(err error) string {
	var (
		response *smithyhttp.ResponseError
		dns      *net.DNSError
		netErr   net.Error
	)
	switch {
	case errors.Is(err, context.Canceled):
		return "the call was given up before AWS answered"
	case errors.As(err, &response) && response.HTTPStatusCode() >= http.StatusMultipleChoices:
		return fmt.Sprintf("AWS answered with HTTP status %d and no error code", response.HTTPStatusCode())
	case errors.As(err, &dns) && dns.IsNotFound:
		return "cannot reach AWS: the name of its endpoint does not exist in DNS"
	case errors.As(err, &dns):
		return "cannot reach AWS: DNS does not answer"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return "cannot reach AWS: no answer in time"
	}
	if s := connectionProblem(err); s != "" {
		return "cannot reach AWS: " + s
	}
	return ""
}

func connectionProblem(err error) string {
	var (
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
		record    tls.RecordHeaderError
		errno     syscall.Errno
	)
	switch {
	case errors.As(err, &authority):
		return "its certificate is signed by an unknown authority"
	case errors.As(err, &hostname):
		return "its certificate is for another host"
	case errors.As(err, &invalid), errors.As(err, &verify):
		return "its certificate is not valid"
	case errors.As(err, &record):
		return "the endpoint does not speak TLS"
	case errors.As(err, &errno):
		return errno.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed before the answer was complete"
	}
	return ""
}

// stableMessage is AWS's message without what differs between equal errors.
func stableMessage(code, message string) string {
	if strings.HasPrefix(message, "Signature expired") || strings.HasPrefix(message, "Signature not yet current") || code == "RequestExpired" {
		return "the time of the request is not AWS's time: check this machine's clock"
	}
	return erase(message, volatile)
}

type erasure struct {
	pattern *regexp.Regexp
	with    string
}

var (
	// volatile is what differs each time in AWS's own messages. Ids, addresses
	// and ports in them are what the message is about, and stay.
	volatile = []erasure{
		// EC2 encrypts the details of a refusal anew each time.
		{regexp.MustCompile(`(?i)\s*encoded authorization failure message:\s*\S+`), ""},
		{regexp.MustCompile(`(?i)[,;]?\s*\(?\brequest ?id:?\s*[0-9a-f-]{16,}\)?`), ""},
		{regexp.MustCompile(`\b\d{8}T\d{6}Z\b|\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?`), "…"},
		{regexp.MustCompile(`(?i)(date/time) \d{9,}`), "$1 …"},
	}
	// local is what the SDK and the network add.
	local = []erasure{
		{regexp.MustCompile(`(?i)exceeded maximum number of attempts, \d+,\s*`), ""},
		{regexp.MustCompile(`https?://[^\s"',]+`), "AWS"},
		{regexp.MustCompile(`\[?[0-9a-fA-F:.]+\]?:\d{2,5}\b`), "…"},
		{regexp.MustCompile(`\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`), "…"},
	}
)

func erase(text string, sets ...[]erasure) string {
	for _, set := range sets {
		for _, e := range set {
			text = e.pattern.ReplaceAllString(text, e.with)
		}
	}
	return strings.TrimSpace(text)
}
