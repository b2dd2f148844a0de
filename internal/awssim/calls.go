package awssim

import (
	"net/url"
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
	// Status is the HTTP status of the answer; 0 if it got none (yet).
	Status int
	// Code is the error code of the answer; empty if it succeeded.
	Code string
	// RequestID is the one in the answer.
	RequestID string
	// UserAgent is the client's.
	UserAgent string
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
