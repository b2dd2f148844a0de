package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// What the calls are named.
const (
	register   = "RegisterTargets"
	deregister = "DeregisterTargets"
	health     = "DescribeTargetHealth"
)

// calls that the provider has made in the world's region since a time.
func (w *world) calls(since time.Time, actions ...string) []awssim.Call {
	return slices.DeleteFunc(w.ProviderCalls(), func(c awssim.Call) bool {
		return c.Region != w.region || c.At.Before(since) || len(actions) > 0 && !slices.Contains(actions, c.Action)
	})
}

// answerLag is how much later than a call's arrival its answer is looked for again:
// only who waits is woken by it, times are those of the calls.
const answerLag = 20 * time.Millisecond

// until waits until the calls since a time satisfy a wish.
func (w *world) until(ctx context.Context, what string, since time.Time, wish func([]awssim.Call) bool, actions ...string) error {
	for {
		news := w.called.wait()
		if wish(w.calls(since, actions...)) {
			return nil
		}
		select {
		case <-news:
		case <-time.After(answerLag):
		case <-ctx.Done():
			return fmt.Errorf("never: %s", what)
		}
	}
}

// named are the targets that a call names.
func named(c awssim.Call) []awssim.Key {
	var keys []awssim.Key
	for i := 1; ; i++ {
		member := "Targets.member." + strconv.Itoa(i) + "."
		id := c.Params.Get(member + "Id")
		if id == "" {
			return keys
		}
		port, _ := strconv.Atoi(c.Params.Get(member + "Port"))
		keys = append(keys, awssim.Key{ID: id, Port: int32(port)})
	}
}

// firstNaming is when each target was first named by a call that succeeded.
func firstNaming(calls []awssim.Call) map[awssim.Key]time.Time {
	first := map[awssim.Key]time.Time{}
	for _, c := range calls {
		if c.Status != http.StatusOK {
			continue
		}
		for _, k := range named(c) {
			if _, known := first[k]; !known {
				first[k] = c.At
			}
		}
	}
	return first
}

// naming waits until calls of an action have named all targets, and returns when
// each was first named.
func (w *world) naming(ctx context.Context, action string, since time.Time, keys []awssim.Key) (map[awssim.Key]time.Time, error) {
	var first map[awssim.Key]time.Time
	err := w.until(ctx, fmt.Sprintf("%s of %d targets", action, len(keys)), since, func(calls []awssim.Call) bool {
		first = firstNaming(calls)
		for _, k := range keys {
			if first[k].IsZero() {
				return false
			}
		}
		return true
	}, action)
	if err != nil {
		err = fmt.Errorf("%w: %d were named", err, len(first))
	}
	return first, err
}

// writes counts the calls that change targets.
func (w *world) writes(since time.Time) int { return len(w.calls(since, register, deregister)) }

// budgeted is how long AWS's own budget makes n registrations and deregistrations
// take, from a full bucket.
func budgeted(n int) time.Duration {
	l := aws.Limits()[aws.Registration]
	return time.Duration(max(0, float64(n)-l.Burst) / l.PerSecond * float64(time.Second))
}

func targetsOf(pods []pod) []awssim.Key {
	keys := make([]awssim.Key, len(pods))
	for i, p := range pods {
		keys[i] = p.target()
	}
	return keys
}

// seconds is for people.
func seconds(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%.3f s", d.Seconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// median of durations, which there must be.
func median(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
