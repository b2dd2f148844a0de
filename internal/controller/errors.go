package controller

import (
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/errors"
)

// Reasons of Stalled.
const (
	ReasonInvalid       xpv2.ConditionReason = "Invalid"
	ReasonImmutable     xpv2.ConditionReason = "Immutable"
	ReasonIdentityTaken xpv2.ConditionReason = "IdentityTaken"
)

// Stalled is an error that only a change of this object can cure: AWS refuses a
// value, a field cannot be changed in AWS, or the identity is taken. An external
// client returns it from any of its methods; condition Stalled then is True, so
// that GitOps tools fail at once instead of waiting. Never return it for
// throttling, AWS's own failures, credentials, permissions, quotas or references.
type Stalled struct {
	// Reason is one CamelCase word.
	Reason xpv2.ConditionReason
	// Message says what to change. It names the field.
	Message string
}

func (s Stalled) Error() string { return s.Message }

// Waiting says that a reference cannot be resolved yet. An external client or
// connector returns it before it has called AWS. It becomes no error: the object
// is Ready=False with reason WaitingForReference until an event ends the wait.
// While the object is being deleted it is an ordinary error.
type Waiting struct {
	// Field that refers, such as targetGroupArnRef.
	Field string
	// Object that is waited for, such as TargetGroup "edge".
	Object string
	// Lacks says what is missing: "does not exist", "has no status.atProvider.arn yet".
	Lacks string
}

func (w Waiting) Error() string { return w.Field + ": " + w.Object + " " + w.Lacks }

func asStalled(err error) *Stalled {
	var s Stalled
	if errors.As(err, &s) {
		return &s
	}

	return nil
}

func asWaiting(err error) *Waiting {
	var w Waiting
	if errors.As(err, &w) {
		return &w
	}

	return nil
}
