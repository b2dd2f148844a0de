package targets

// Tally counts targets of the binding by state (design §3, Observed).
type Tally struct {
	// Desired should be registered; Registered are, of ours.
	Desired, Registered int
	// Healthy, Initial and Unhealthy are how AWS sees those that are registered.
	Healthy, Initial, Unhealthy int
	// Draining are ours that AWS drains.
	Draining int
	// Foreign are registered and not ours. They are in no other count.
	Foreign int
}

// Minus is what is left of a tally without another.
func (t Tally) Minus(o Tally) Tally {
	return Tally{
		Desired: t.Desired - o.Desired, Registered: t.Registered - o.Registered,
		Healthy: t.Healthy - o.Healthy, Initial: t.Initial - o.Initial, Unhealthy: t.Unhealthy - o.Unhealthy,
		Draining: t.Draining - o.Draining, Foreign: t.Foreign - o.Foreign,
	}
}

// Counts are the tallies in all and by zone. A target whose zone is not known is
// in the total only.
type Counts struct {
	Tally
	Zones map[string]Tally
}

// Count counts the targets that a plan was made of.
func Count(targets []Target, plan Plan) Counts {
	byKey, zones := map[Key]Target{}, map[Key]string{}
	for _, target := range targets {
		byKey[target.Key], zones[target.Key] = target, target.Zone
	}
	for _, changes := range [][]Change{plan.Register, plan.Deregister, plan.Keep} {
		for _, change := range changes {
			zones[change.Key] = change.Zone
		}
	}
	counts := Counts{Zones: map[string]Tally{}}
	add := func(keys []Key, count func(*Tally, Target)) {
		for _, key := range keys {
			count(&counts.Tally, byKey[key])
			if zone := zones[key]; zone != "" {
				tally := counts.Zones[zone]
				count(&tally, byKey[key])
				counts.Zones[zone] = tally
			}
		}
	}
	add(plan.Wanted, func(t *Tally, _ Target) { t.Desired++ })
	add(plan.Ours, countOurs)
	add(plan.Draining, func(t *Tally, _ Target) { t.Draining++ })
	add(plan.Foreign, func(t *Tally, _ Target) { t.Foreign++ })
	return counts
}

// countOurs leaves out one whose registration is in doubt.
func countOurs(t *Tally, target Target) {
	if target.Presence != Registered {
		return
	}
	t.Registered++
	switch target.Health {
	case HealthHealthy:
		t.Healthy++
	case HealthInitial, HealthUnread:
		t.Initial++
	case HealthUnhealthy, HealthUnhealthyDraining:
		t.Unhealthy++
	}
}
