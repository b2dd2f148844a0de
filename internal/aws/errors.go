package aws

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Class is what an error means for its caller.
type Class string

// The classes.
const (
	// ClassNone is no error.
	ClassNone Class = ""
	// ClassUnknown is an error that nobody has classified: report it, try again.
	ClassUnknown Class = "Unknown"
	// ClassNotFound is that what a call named does not exist. Whether that means
	// "absent" depends on the call: ask IsNotFound, with its code.
	ClassNotFound Class = "NotFound"
	// ClassExists is that something has this identity already: look whose it is.
	ClassExists Class = "Exists"
	// ClassConflict is that something uses it, or changes it at the moment: wait.
	ClassConflict Class = "Conflict"
	// ClassQuota is that a limit of the account or of a resource is reached.
	ClassQuota Class = "Quota"
	// ClassDependency is that something it refers to is not there, or not ready:
	// wait, and say so.
	ClassDependency Class = "Dependency"
	// ClassTerminal is that AWS will never accept these values.
	ClassTerminal Class = "Terminal"
	// ClassThrottled is too many calls in the account, or that ours had to wait
	// for too long.
	ClassThrottled Class = "Throttled"
	// ClassDenied is a missing permission, or missing, wrong or expired
	// credentials.
	ClassDenied Class = "Denied"
	// ClassInvalidRegion is that there is no such region.
	ClassInvalidRegion Class = "InvalidRegion"
	// ClassTransient is that AWS failed, could not be reached or did not answer
	// in time: a write may or may not have taken effect.
	ClassTransient Class = "Transient"
)

// NeedsChange is true if time does not cure such an error, but only a change of
// the object that caused the call. ClassExists is meant after the caller has
// looked and found somebody else's.
func (c Class) NeedsChange() bool {
	return c == ClassTerminal || c == ClassInvalidRegion || c == ClassExists
}

// Classify says what an error of this package or of a client of it means. An error
// of credentials is Denied whatever AWS calls it, unless it is Throttled or
// Transient: the object that wanted the call cannot cure it.
func Classify(err error) Class {
	if err == nil {
		return ClassNone
	}
	c := classify(err)
	var credentials *credentialsError
	if errors.As(err, &credentials) {
		switch c {
		case ClassThrottled, ClassTransient, ClassInvalidRegion:
			return c
		default:
			return ClassDenied
		}
	}
	return c
}

func classify(err error) Class {
	var (
		wait    *waitError
		config  configError
		region  *RegionError
		params  smithy.InvalidParamsError
		silence *silenceError
		netErr  net.Error
		decode  *smithy.DeserializationError
	)
	switch {
	case errors.As(err, &wait):
		return ClassThrottled
	case errors.As(err, &region):
		return ClassInvalidRegion
	case errors.As(err, &config):
		return ClassDenied
	case Code(err) != "":
		return classOfAnswer(err)
	case errors.As(err, &params):
		return ClassTerminal
	case errors.As(err, &silence), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return ClassTransient
	}
	if c := classOfStatus(err); c != ClassUnknown {
		return c
	}
	var send *smithyhttp.RequestSendError
	if errors.As(err, &netErr) || errors.As(err, &send) || errors.As(err, &decode) {
		return ClassTransient
	}
	return ClassUnknown
}

// classOfAnswer is for errors that AWS sent.
func classOfAnswer(err error) Class {
	var api smithy.APIError
	errors.As(err, &api)
	code := api.ErrorCode()
	if code == "SignatureDoesNotMatch" && strings.Contains(api.ErrorMessage(), wrongScope) {
		return ClassInvalidRegion
	}
	if m, ok := meanings[code]; ok {
		return m.class
	}
	if strings.HasPrefix(code, "TooMany") {
		return ClassQuota
	}
	return classOfStatus(err)
}

func classOfStatus(err error) Class {
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) {
		return ClassUnknown
	}
	switch status := response.HTTPStatusCode(); {
	case status == http.StatusTooManyRequests:
		return ClassThrottled
	case status >= http.StatusInternalServerError, status == http.StatusRequestTimeout:
		return ClassTransient
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return ClassDenied
	}
	return ClassUnknown
}

// unknownCode is what the SDK calls an answer without a code.
const unknownCode = "UnknownError"

// Code is AWS's error code, such as "TargetGroupNotFound"; empty if AWS sent none.
// It is never the name of a Go type, which may differ from it.
func Code(err error) string {
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() == unknownCode {
		return ""
	}
	return api.ErrorCode()
}

// IsNotFound is true if AWS answered with one of the codes, exactly, and not while
// we got credentials. Name the code of that call: "absent" is nothing else.
func IsNotFound(err error, codes ...string) bool {
	var credentials *credentialsError
	code := Code(err)
	return code != "" && slices.Contains(codes, code) && !errors.As(err, &credentials)
}

// RequestID is the id that AWS gave to a refused call, for logs and Events, never
// for a condition; empty if there was no answer.
func RequestID(err error) string {
	var response *awshttp.ResponseError
	if !errors.As(err, &response) {
		return ""
	}
	return response.ServiceRequestID()
}

// instanceID is an instance's id in a message.
var instanceID = regexp.MustCompile(`^i-[0-9a-f]{8,17}$`)

// InvalidTargetIDs are the instances and addresses that an InvalidTarget error
// names, in the order of the message and each once; nil if it names none, or is
// another error. RegisterTargets refuses all targets of a call for one of them.
func InvalidTargetIDs(err error) []string {
	var api smithy.APIError
	if Code(err) != "InvalidTarget" || !errors.As(err, &api) {
		return nil
	}
	var ids []string
	for _, word := range strings.FieldsFunc(api.ErrorMessage(), betweenIDs) {
		word = strings.TrimRight(word, ".:")
		_, notAddress := netip.ParseAddr(word)
		if (instanceID.MatchString(word) || notAddress == nil) && !slices.Contains(ids, word) {
			ids = append(ids, word)
		}
	}
	return ids
}

// betweenIDs separates words of a message. A slash does not, so that the address
// of a CIDR block is not taken for a target.
func betweenIDs(r rune) bool { return strings.ContainsRune(" \t\n'\"`,;()[]{}", r) }
