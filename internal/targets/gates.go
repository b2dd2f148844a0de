package targets

import "time"

// Gated is a pod's gate and what is known of it beside the plan's Input.
type Gated struct {
	Gate Gate
	// ReadyAt as in GateCase.
	ReadyAt time.Time
}

// Gating is what the gates that name one binding have in common.
type Gating struct {
	Stopped *Stop
	// Obstacle is what keeps AWS from taking registrations, in words.
	Obstacle        string
	UnreadableSince time.Time
	// Of are the gates that are not True, by pod UID.
	Of map[string]Gated
}

// DecideGates decides the gates of pods that match a binding, from what its plan was
// made of. The verdicts are by pod UID.
func DecideGates(in Input, p Plan, gating Gating) map[string]GateVerdict {
	verdicts := make(map[string]GateVerdict, len(gating.Of))
	if len(gating.Of) == 0 {
		return verdicts
	}
	byKey := make(map[Key]Target, len(in.Targets))
	for _, t := range in.Targets {
		byKey[t.Key] = t
	}
	skips := make(map[string]*Skip, len(p.Skipped))
	for i := range p.Skipped {
		skips[p.Skipped[i].Pod.UID] = &p.Skipped[i]
	}
	waits := map[Key]string{}
	for _, c := range p.Keep {
		if c.Rule == RuleQuota {
			waits[c.Key] = c.Reason
		}
	}
	for _, pod := range in.View.Pods {
		gated, ok := gating.Of[pod.UID]
		if !ok {
			continue
		}
		c := GateCase{
			Now: in.Now, Pod: pod, Gate: gated.Gate, Stopped: gating.Stopped,
			NoRegister: in.Policy.NoRegister, Obstacle: gating.Obstacle, ReadyAt: gated.ReadyAt, UnreadableSince: gating.UnreadableSince,
		}
		var key Key
		key, c.Skip = in.View.Resolve(in.Group, pod)
		if c.Skip == nil {
			c.Target = Target{Key: key, Presence: Absent}
			if t, known := byKey[key]; known {
				c.Target = t
			}
			if why := waits[key]; why != "" {
				c.Obstacle = why
			}
			if c.Target.Presence != Registered {
				c.Skip = skips[pod.UID]
			}
		}
		verdicts[pod.UID] = c.Decide()
	}
	return verdicts
}
