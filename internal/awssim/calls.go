package awssim

import (
	"net/url"
	"regexp"
	"slices"
	"time"
)

// Call is one call that arrived.
type Call struct {
	// At is when it arrived.
	At time.Time
	// Service and Action that were asked for.
	Service, Action string
	// Account and Region it was made in; Account is empty if the caller could
	// not be authenticated.
	Account, Region string
	// Params are the form values, without Action and Version.
	Params url.Values
	// TargetGroupARN is the target group that it is about, if it is about one.
	TargetGroupARN string
	// LoadBalancerARN, ListenerARN and GroupID (of a security group) likewise.
	LoadBalancerARN, ListenerARN, GroupID string
	// Resources are all the ARNs and ids that its parameters name, in order.
	Resources []string
	// Status is the HTTP status of the answer; 0 if it got none (yet).
	Status int
	// Code is the error code of the answer; empty if it succeeded.
	Code string
	// RequestID is the one in the answer.
	RequestID string
	// UserAgent is the client's.
	UserAgent string
}

// resource is how an ARN or an id looks.
var resource = regexp.MustCompile(`^(arn:[a-z-]+:|(i|sg|sgr|vpc|subnet|eni|eipalloc|pl)-[0-9a-f]+$)`)

// resources are the values of a form that look like an ARN or an id.
func resources(form url.Values) []string {
	var out []string
	for _, values := range form {
		for _, v := range values {
			if resource.MatchString(v) {
				out = append(out, v)
			}
		}
	}
	return unrepeated(out)
}

// Calls returns the calls that arrived since New or Reset, in order.
func (s *Sim) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Call, 0, len(s.calls))
	for _, c := range s.calls {
		out = append(out, *c)
	}
	return out
}

// Count returns how many calls arrived for any of the actions since New or
// Reset, refused ones included. Without an action it counts every call.
func (s *Sim) Count(actions ...string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, c := range s.calls {
		if len(actions) == 0 || slices.Contains(actions, c.Action) {
			n++
		}
	}
	return n
}

// Reset forgets the calls. The world stays as it is.
func (s *Sim) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = nil
}
