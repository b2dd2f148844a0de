package awssim

import (
	"fmt"
	"net/http"
	"strings"
)

// apiError is a refusal as AWS would put it on the wire.
type apiError struct {
	// status is the HTTP status code.
	status int
	// code is the error code, such as TargetGroupNotFound.
	code string
	// message is for people.
	message string
}

// Error is for logs; a client sees the three fields.
func (e *apiError) Error() string {
	return fmt.Sprintf("%d %s: %s", e.status, e.code, e.message)
}

func refuse(code, format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, code: code, message: fmt.Sprintf(format, args...)}
}

// invalid is ELBv2's answer to a value that breaks a rule of its type.
func invalid(format string, args ...any) *apiError { return refuse("ValidationError", format, args...) }

// misconfigured is ELBv2's answer to values that do not go together.
func misconfigured(format string, args ...any) *apiError {
	return refuse("InvalidConfigurationRequest", format, args...)
}

func forbidden(code, format string, args ...any) *apiError {
	e := refuse(code, format, args...)
	e.status = http.StatusForbidden
	return e
}

// unauthorized is EC2's answer to a key or signature that it cannot validate.
func unauthorized() *apiError {
	return &apiError{http.StatusUnauthorized, "AuthFailure",
		"AWS was not able to validate the provided access credentials"}
}

// throttled is the answer to one call too many. ELBv2's throttling guide names
// ThrottlingException; what its users quote is "Throttling: Rate exceeded"
// (kubernetes-sigs/aws-load-balancer-controller#1871). EC2's guide and users
// agree on RequestLimitExceeded, with 503.
func throttled(service string) *apiError {
	if service == ServiceEC2 {
		return &apiError{http.StatusServiceUnavailable, "RequestLimitExceeded", "Request limit exceeded."}
	}
	return refuse("Throttling", "Rate exceeded")
}

// denied is the answer when a policy does not allow the call.
func denied(c *call) *apiError {
	resource := "*"
	for _, key := range []string{"TargetGroupArn", "LoadBalancerArn", "ListenerArn", "RuleArn", "RoleArn", "ResourceArns.member.1"} {
		if v := c.form.Get(key); v != "" {
			resource = v
			break
		}
	}
	message := fmt.Sprintf("User: %s is not authorized to perform: %s:%s on resource: %s"+
		" because no identity-based policy allows the %s:%s action",
		c.who.arn, c.service, c.action, resource, c.service, c.action)
	if c.service == ServiceEC2 {
		return forbidden("UnauthorizedOperation", "You are not authorized to perform this operation. %s", message)
	}
	return forbidden("AccessDenied", "%s", message)
}

// quoted lists names the way AWS does: 'a', 'b'.
func quoted(names []string) string { return "'" + strings.Join(names, "', '") + "'" }
