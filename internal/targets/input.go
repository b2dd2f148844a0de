package targets

import "time"

// Ownership says what is done with targets that are not ours.
type Ownership string

// The kinds of ownership. Default: Exclusive if Group.Ours, else Shared.
const (
	OwnershipDefault   Ownership = ""
	OwnershipExclusive Ownership = "Exclusive"
	OwnershipShared    Ownership = "Shared"
)

// Policy is the binding's spec as the plan needs it, defaults filled in by
// WithDefaults.
type Policy struct {
	Ownership Ownership
	// EmptyDeregister: emptyPolicy Deregister; false is Hold.
	EmptyDeregister bool
	// RestartDeregister: inPlaceRestart Deregister; false is Keep.
	RestartDeregister bool
	// NotReadyDeregister: notReady.policy Deregister; false is Retain.
	NotReadyDeregister bool
	// NotReadyAfter is notReady.afterSeconds.
	NotReadyAfter time.Duration
	// MaxUnavailable is departures.maxUnavailable: a percentage if
	// MaxUnavailablePercent, else a number.
	MaxUnavailable        int
	MaxUnavailablePercent bool
	// RegisterScheduled: registerWhen Scheduled; false is Ready.
	RegisterScheduled bool
	// NoDeregister forbids every removal: management policies, the flag
	// --deregistration=off, or annotation nlb.crossplane.io/hold. It says which.
	NoDeregister string
	// Approved is the plan hash that annotation nlb.crossplane.io/approve names.
	Approved string
	// NoRegister forbids every registration (management policies). It says why.
	NoRegister string
}

// Input is all that a plan is made of.
type Input struct {
	Now    time.Time
	Group  Group
	Policy Policy
	View   View
	// Targets are all that we know of the group, foreign ones included.
	Targets []Target
	// Unread is true until the group was read in full once in this process:
	// until then nothing is deregistered.
	Unread bool
	// UsedPorts are the ports that this binding has used (status.ports): what
	// makes a target of one of our nodes ours.
	UsedPorts []int32
	// OwnIPs are, for target type ip, the targets recorded as ours.
	OwnIPs map[Key]bool
	// Siblings are wanted by other bindings of this cluster in the same group, or kept
	// by them for a pod of theirs: never ours to remove.
	Siblings map[Key]bool
	// SiblingPorts are the ports that those have used, and SiblingIPs, for target type
	// ip, the targets that they recorded: what makes a target of one of our nodes
	// theirs where it is not ours, and never foreign.
	SiblingPorts map[int32]bool
	SiblingIPs   map[Key]bool
	// QuotaFull says that AWS refused a registration for a quota. The plan then
	// registers no more than it deregisters, so whoever sets it clears it when
	// something has been deregistered, and from time to time to ask again.
	QuotaFull bool
	// QuotaRoom is how many more registrations than departures may be asked for all
	// the same while QuotaFull: AWS refuses a whole batch where some of it would fit.
	QuotaRoom int
	// Claimed says that the group's tag exclusive-owner names this binding: foreign
	// targets that were announced may leave.
	Claimed bool
	// Releasing says that the binding is being deleted: nothing is wanted and
	// ours leave at once.
	Releasing bool
	// Memory is what the last plan returned; empty at start.
	Memory Memory
}

// Memory is what has to be remembered between plans because Kubernetes forgets
// it. It is a value: NewPlan returns the next one and never changes its input.
type Memory struct {
	// Claims are the targets that pods of this binding made, with the last pod
	// seen on each.
	Claims map[Key]Claim
	// Departures are the departure budgets that are in use, by zone; nil until
	// the first plan that was allowed to deregister.
	Departures map[string]Departures
	// Guard is what removals without evidence wait for.
	Guard GuardMemory
	// Takeover is what happened to foreign targets.
	Takeover TakeoverMemory
}

// Departures is what has been spent of one zone's departure budget.
type Departures struct {
	// Before are the targets that were healthy, or of which AWS did not say it, when
	// the first departure was considered: what is healthy now and not among them is a replacement. Nil
	// when nothing is waiting to leave.
	Before map[Key]bool
	// Left are the targets that left on the budget and are neither replaced nor
	// back.
	Left map[Key]bool
}

// Claim is what is remembered of a target that a matching pod had. A target of
// ours whose pod was never seen (after a restart), or one that waits to leave,
// has a claim without a pod.
type Claim struct {
	Pod PodRef
	// Maker is the pod that had the target before Pod, if it went on when an edit
	// gave the target to Pod; empty if none did.
	Maker PodRef
	Node  string
	Zone  string
	// Returns: a successor is expected on the node by the pod's nature (owned by
	// a DaemonSet, or static).
	Returns bool
	// VacatedAt is when the last pod object went away; zero while there is one.
	VacatedAt time.Time
	// UnreadySince is since when the target has had no ready pod without a break.
	UnreadySince time.Time
	// WaitingSince is since when the target has been waiting to leave.
	WaitingSince time.Time
}

// Rule names why a change is made or not made (binding.md §3 and §5). It is the
// same word in plans, log lines, Events and tests.
type Rule string

// Change is one target to register or to deregister.
type Change struct {
	Key
	Zone string
	// Pod that the target is or was for; empty if none is known.
	Pod  PodRef
	Rule Rule
	// Reason is a sentence for people, without times or counts.
	Reason string
}

// Skip is a pod that matches but cannot be a target.
type Skip struct {
	Pod PodRef
	// Rule names the obstacle, for those who must tell one that waiting cures
	// from one that it does not (readiness gates).
	Rule   Rule
	Reason string
}

// Plan is what to do now. Its lists are sorted and hold each target once.
type Plan struct {
	// Register and Deregister are to be carried out in this order.
	Register, Deregister []Change
	// DeregisterFirst turns the order round: a quota is exhausted.
	DeregisterFirst bool
	// Keep has a verdict for every other registered or wanted target.
	Keep []Change
	// Waiting are departures that the budget or the floor does not yet allow,
	// a subset of Keep.
	Waiting []Change
	// Overdue are those of Waiting that have waited for longer than
	// WaitingTooLong: a condition, an Event and a metric, never forced.
	Overdue []Key
	// Skipped pods, with the reason.
	Skipped []Skip
	// Wanted are all keys that should be registered (registered already or not).
	Wanted []Key
	// Ours are all registered keys that are ours, those in doubt (Unknown)
	// included; Foreign those that are not. A target that only a sibling wants is
	// in neither.
	Ours, Foreign []Key
	// Draining are ours that AWS is still draining.
	Draining []Key
	// Held is why targets stay although no pod matches (emptyPolicy Hold);
	// empty otherwise.
	Held string
	// Guarded are removals that wait for evidence or approval (binding.md §5), a
	// subset of Keep; GuardHash is what approves exactly these.
	Guarded   []Change
	GuardHash string
	// Unproven are targets that a rule removes without evidence of their pod or
	// node, those included that something holds back.
	Unproven []Key
	// Takeover is how far it is with Foreign; TakeoverFrom is when the first of them
	// may leave, while they are only shown.
	Takeover     Takeover
	TakeoverFrom time.Time
	// Next is the earliest time at which the same world would give another
	// plan; zero if time changes nothing.
	Next time.Time
	// Memory to hand to the next plan.
	Memory Memory
}
