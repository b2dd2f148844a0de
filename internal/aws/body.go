package aws

import (
	"context"
	"io"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// plainBody is a step that leaves of a request's body only what can be read, so that
// no answer is lost which comes early.
//
// The SDK closes a request's body as soon as the head of an answer is there, and
// net/http may not yet have looked for the end of the body then. The closed body
// answers WriteTo with io.EOF, which net/http takes for a request that was not sent:
// it cuts the connection, with what has not been read yet of an answer of more than
// 4 KiB. The SDK asks again, and a write that took effect comes back as a duplicate.
// From Read, io.EOF is what it should be.
type plainBody struct{}

// addPlainBody adds the step, after the body was written and before it is signed.
func addPlainBody(s *middleware.Stack) error { return s.Build.Add(plainBody{}, middleware.Before) }

// ID names the step.
func (plainBody) ID() string { return "provider-nlb/PlainBody" }

// HandleBuild wraps the body.
func (plainBody) HandleBuild(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (middleware.BuildOutput, middleware.Metadata, error) {
	r, isHTTP := in.Request.(*smithyhttp.Request)
	if isHTTP {
		if body, ok := r.GetStream().(io.ReadSeeker); ok {
			plain, err := r.SetStream(struct{ io.ReadSeeker }{body})
			if err != nil {
				return middleware.BuildOutput{}, middleware.Metadata{}, err
			}
			in.Request = plain
		}
	}
	return next.HandleBuild(ctx, in)
}
