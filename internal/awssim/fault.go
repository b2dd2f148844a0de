package awssim

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Effect is what a Fault does to a call.
type Effect string

// The effects. A call that gets an error or no answer has no effect, except
// where it says so.
const (
	// Throttle answers as an empty token bucket does.
	Throttle Effect = "Throttle"
	// Deny answers as a policy does that does not allow the call.
	Deny Effect = "Deny"
	// InternalFailure answers 500.
	InternalFailure Effect = "InternalFailure"
	// Unavailable answers 503 ServiceUnavailable.
	Unavailable Effect = "Unavailable"
	// Answer answers with the Fault's Status, Code and Message.
	Answer Effect = "Answer"
	// Delay waits for the Fault's Delay on the Clock before the call goes on.
	Delay Effect = "Delay"
	// Hang waits until the client gives up, or the fault is removed and the
	// call goes on.
	Hang Effect = "Hang"
	// LoseResponse lets the call take effect, then cuts the connection.
	LoseResponse Effect = "LoseResponse"
	// TakeLate never answers. The call takes effect, if it is valid by then,
	// after the Fault's Delay (default: the Profile's Late).
	TakeLate Effect = "TakeLate"
	// RefuseTarget makes RegisterTargets refuse the Fault's Target as one that
	// is not running, and with it the whole call.
	RefuseTarget Effect = "RefuseTarget"
)

// Fault is something that goes wrong with the calls it matches. An empty field
// matches every call.
type Fault struct {
	// Service, Action, Account and Region of the call.
	Service, Action, Account, Region string
	// Contains is part of the value of any parameter: of an ARN, a name, or a
	// target's id.
	Contains string
	// After is how many matching calls go unharmed first.
	After int
	// Times is how many are harmed; 0 means all until the fault is removed.
	Times int

	// Effect on the call.
	Effect Effect
	// Delay for the effects Delay and TakeLate.
	Delay time.Duration
	// Target id for the effect RefuseTarget.
	Target string
	// Status (default 400), Code and Message for the effect Answer.
	Status        int
	Code, Message string
}

type fault struct {
	Fault

	seen    int
	removed chan struct{}
}

// Fault adds a fault and returns what removes it. Removing twice is allowed.
// It panics if the effect is unknown or lacks what it needs: a test that injects
// nothing would prove nothing.
func (s *Sim) Fault(f Fault) (remove func()) {
	if problem := f.problem(); problem != "" {
		panic("awssim: " + problem)
	}
	added := &fault{Fault: f, removed: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, added)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if i := slices.Index(s.faults, added); i >= 0 {
			s.faults = slices.Delete(s.faults, i, i+1)
			close(added.removed)
		}
	}
}

func (f Fault) problem() string {
	switch f.Effect {
	case Throttle, Deny, InternalFailure, Unavailable, Hang, LoseResponse, TakeLate:
		return ""
	case Delay:
		if f.Delay <= 0 {
			return "fault Delay without a delay"
		}
	case RefuseTarget:
		if f.Target == "" {
			return "fault RefuseTarget without a target"
		}
	case Answer:
		if f.Code == "" {
			return "fault Answer without a code"
		}
	default:
		return fmt.Sprintf("unknown fault effect %q", f.Effect)
	}
	return ""
}

func (f *fault) matches(c *call) bool {
	for _, m := range [][2]string{
		{f.Service, c.service}, {f.Action, c.action}, {f.Account, c.who.account}, {f.Region, c.region},
	} {
		if m[0] != "" && m[0] != m[1] {
			return false
		}
	}
	if f.Effect == RefuseTarget && (c.action != "RegisterTargets" || !mentions(c.form, f.Target, true)) {
		return false
	}
	return f.Contains == "" || mentions(c.form, f.Contains, false)
}

// mentions says whether a parameter's value is, or contains, a text.
func mentions(form url.Values, text string, whole bool) bool {
	for _, values := range form {
		for _, v := range values {
			if v == text || !whole && strings.Contains(v, text) {
				return true
			}
		}
	}
	return false
}

// faultsOf returns the faults that harm a call, and counts it against them.
func (s *Sim) faultsOf(c *call) []*fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*fault
	for _, f := range s.faults {
		if !f.matches(c) {
			continue
		}
		f.seen++
		if f.seen > f.After && (f.Times == 0 || f.seen <= f.After+f.Times) {
			out = append(out, f)
		}
	}
	return out
}

// suffer lets a call suffer its faults before it takes effect. It returns the
// answer that a fault gives, or errGone.
func (s *Sim) suffer(ctx context.Context, c *call) error {
	for _, f := range s.faultsOf(c) {
		if err := s.sufferOne(ctx, c, f); err != nil {
			return err
		}
	}
	return nil
}

func (s *Sim) sufferOne(ctx context.Context, c *call, f *fault) error {
	switch f.Effect {
	case Throttle:
		return throttled(c.service)
	case Deny:
		return denied(c)
	case InternalFailure:
		return &apiError{http.StatusInternalServerError, "InternalFailure",
			"The request processing has failed because of an unknown error, exception or failure."}
	case Unavailable:
		return &apiError{http.StatusServiceUnavailable, "ServiceUnavailable",
			"The request has failed due to a temporary failure of the server."}
	case Answer:
		status := f.Status
		if status == 0 {
			status = http.StatusBadRequest
		}
		return &apiError{status, f.Code, f.Message}
	case Delay:
		return s.wait(ctx, f.Delay)
	case Hang:
		s.hanging.Add(1)
		defer s.hanging.Add(-1)
		select {
		case <-f.removed:
		case <-ctx.Done():
			return errGone
		case <-s.done:
			return errGone
		}
	case LoseResponse:
		c.lost = true
	case TakeLate:
		s.takeLate(c, f.Delay)
		s.hanging.Add(1)
		defer s.hanging.Add(-1)
		select {
		case <-ctx.Done():
		case <-s.done:
		}
		return errGone
	case RefuseTarget:
		c.refused = append(c.refused, f.Target)
	}
	return nil
}

// Hanging is how many calls the effects Hang and TakeLate keep waiting. A test can poll
// it to know when a call is that far, and when its client is known to have given up.
func (s *Sim) Hanging() int { return int(s.hanging.Load()) }

// lateEffect is a call whose client has given up, and that will take effect.
type lateEffect struct {
	at   time.Time
	call *call
}

func (s *Sim) takeLate(c *call, after time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if after == 0 {
		after = s.profile.Late
	}
	s.late = append(s.late, lateEffect{at: s.clock.Now().Add(after), call: c})
}

// runLate lets late calls take effect that are due, each at its time.
func (s *Sim) runLate(now time.Time) {
	slices.SortStableFunc(s.late, func(a, b lateEffect) int { return a.at.Compare(b.at) })
	for len(s.late) > 0 && !s.late[0].at.After(now) {
		l := s.late[0]
		s.late = s.late[1:]
		s.settle(l.at)
		// Its client is gone; whether it succeeds is for the world to show.
		_, _ = s.execute(l.call, l.at)
	}
}
