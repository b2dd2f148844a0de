// Package targets is the pure core of a TargetGroupBinding: which pods make
// which targets, and what to register and deregister so that AWS holds exactly
// those. It takes plain values and a time and returns plain values; each verdict
// carries the name of the rule that made it and a reason for people.
//
// It imports the standard library only and reads no clock: the same input gives
// the same plan, so a plan can be tested, replayed and shown.
//
// The way through it: a View's pods are resolved to targets (resolve.go) and
// gathered in spots, one per target (spot.go); each registered spot that nobody
// wants meets the ordered rules (decide.go); what may leave passes the Guard,
// the floor and the departure budget (depart.go); NewPlan (plan.go) sorts the
// verdicts and returns them with the Memory (memory.go) for the next plan.
//
// Readiness gates (binding.md §9) will live here too, in gate.go, as a pure
// function from a pod, its target and the time to a condition. Skip.Rule is
// there for it: a gate must tell what waiting cures from what it does not.
package targets
