package aws

import (
	"context"
	"errors"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/smithy-go/middleware"
)

// CallTimeout is how long a call may take in all, retries included, from its
// first token on. It is less than a lease lasts (15 s, renewed within 10 s), so
// that no call of ours arrives after another process has taken over.
const CallTimeout = 8 * time.Second

const (
	// attempts of a call. The work queue tries again later, and better: it
	// knows the wanted state of then.
	attempts = 3
	// backoff is the longest pause between two attempts, so that three of them
	// fit into CallTimeout.
	backoff = 2 * time.Second
)

// NoRetry is an option of a call: one attempt. It is for callers that decide
// after each failure what to send next.
func NoRetry(o *elbv2.Options) { o.Retryer = sdk.NopRetryer{} }

// RequestIDOf is the request id of an answer, taken from the ResultMetadata of an
// SDK output; empty if there is none. RequestID has that of an error.
func RequestIDOf(m middleware.Metadata) string {
	id, _ := awsmiddleware.GetRequestIDMetadata(m)
	return id
}

// retryer is the SDK's standard one. Its own quota of retries is off: the Budget
// limits attempts, and the quota would add its own words to errors.
func retryer() sdk.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.MaxBackoff = backoff
		o.RateLimiter = ratelimit.None
	})
}

// call is what surrounds a call: its token, its deadline and the text of its
// error. The first token is taken outside of the deadline: waiting for our turn
// is not AWS's fault, and nothing has been sent meanwhile.
type call struct{ budget *Budget }

// install adds a call, what makes its answer reach us, and the limiter that it needs if there is a budget. STS
// has none: it is not throttled with ELBv2, and is asked rarely.
func install(b *Budget) func(*middleware.Stack) error {
	return func(s *middleware.Stack) error {
		if err := addPlainBody(s); err != nil {
			return err
		}
		if b != nil {
			// Within the retry loop: every attempt counts for AWS.
			if err := s.Finalize.Insert(limiter{b}, "Retry", middleware.After); err != nil {
				return err
			}
		}
		return s.Initialize.Add(call{b}, middleware.Before)
	}
}

// ID names the step.
func (call) ID() string { return "provider-nlb/Call" }

// HandleInitialize makes the call.
func (c call) HandleInitialize(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	if c.budget != nil && !paid(ctx) {
		if err := acquire(ctx, c.budget); err != nil {
			return middleware.InitializeOutput{}, middleware.Metadata{}, err
		}
	}
	inner, cancel := context.WithTimeout(Prepaid(ctx), CallTimeout)
	defer cancel()
	said := &lastAnswer{}
	out, metadata, err := next.HandleInitialize(context.WithValue(inner, lastAnswerKey{}, said), in)
	switch {
	case err == nil || inner.Err() == nil || explained(err):
	case said.err != nil && !said.open:
		// The time was over before another attempt: AWS's refusal is what is known.
		err = said.err
	default:
		err = &silenceError{timeout: ctx.Err() == nil, err: err}
	}
	return out, metadata, stable(err)
}

// lastAnswer is AWS's refusal of the last attempt of a call. While another attempt
// is open it says nothing: that one may take effect.
type lastAnswer struct {
	open bool
	err  error
}

type lastAnswerKey struct{}

// attempt notes an attempt, and returns what notes its answer.
func (l *lastAnswer) attempt() (answered func(error)) {
	if l == nil {
		return func(error) {}
	}
	l.open, l.err = true, nil
	return func(err error) {
		if Code(err) != "" {
			l.open, l.err = false, err
		}
	}
}

// explained is true for an error that says more than that the time was over.
func explained(err error) bool {
	var wait *waitError
	return Code(err) != "" || errors.As(err, &wait)
}

// limiter takes a token for each attempt.
type limiter struct{ budget *Budget }

// ID names the step.
func (limiter) ID() string { return "provider-nlb/Limiter" }

// HandleFinalize makes an attempt.
func (l limiter) HandleFinalize(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
	if !paid(ctx) {
		if err := acquire(ctx, l.budget); err != nil {
			return middleware.FinalizeOutput{}, middleware.Metadata{}, err
		}
	}
	said, _ := ctx.Value(lastAnswerKey{}).(*lastAnswer)
	answered := said.attempt()
	out, metadata, err := next.HandleFinalize(ctx, in)
	answered(err)
	l.budget.attempted(middleware.GetOperationName(ctx), Classify(err))
	return out, metadata, err
}

func acquire(ctx context.Context, b *Budget) error {
	action := middleware.GetOperationName(ctx)
	return b.Acquire(ctx, b.categoryOf(action), priorityOf(ctx, action))
}

// silenceError is a call that ended without an answer: nothing is known about its
// effect.
type silenceError struct {
	// timeout is true if CallTimeout was over, false if the caller gave up.
	timeout bool
	// shared is true for a read that is made for many. It may not have been sent at
	// all: it waits for its turn, too.
	shared bool
	err    error
}

func (e *silenceError) Error() string {
	if e.timeout {
		return "AWS did not answer within " + CallTimeout.String()
	}
	if e.shared {
		return "gave up waiting for a read: AWS is slow, or our share of its request rate is used up"
	}
	return "the call was given up before AWS answered"
}

func (e *silenceError) Unwrap() error { return e.err }
