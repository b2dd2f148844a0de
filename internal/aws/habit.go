package aws

import "time"

const (
	// pollAges is how many times MaxAge a poll interval is.
	pollAges = 4
	// pollers is how many are told apart who poll one key.
	pollers = 8
)

// habit is when each of those who poll a key asked last, in order. Several may: a
// target group is polled for its own object and for each of its bindings. Each asks
// again about pollAges ages later, so one last time for all of them would say nothing.
type habit []time.Time

// asked adds an ask. It is that of whoever was expected by now, or else somebody's
// new one; what follows it at once is the same one looking again.
func (h habit) asked(now time.Time, age time.Duration) habit {
	if len(h) > 0 && now.Sub(h[0]) >= pollAges*age*17/20 {
		h = h[1:]
	}
	if n := len(h); n > 0 && now.Sub(h[n-1]) < age/pollAges {
		h[n-1] = now
		return h
	}
	return append(h[max(0, len(h)+1-pollers):], now)
}

// next is when the first of them will ask again, which may be a little before now;
// false if nobody will. Who is late by a quarter of an interval will not come.
func (h habit) next(now time.Time, age time.Duration) (time.Time, bool) {
	for _, t := range h {
		if now.Sub(t) < (pollAges+1)*age {
			return t.Add(pollAges * age), true
		}
	}
	return time.Time{}, false
}
