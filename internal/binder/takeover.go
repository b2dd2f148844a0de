package binder

import (
	"time"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// foreign says what is done about foreign targets; false if there are none.
func foreign(bd *binding) (Condition, bool) {
	p := bd.plan
	if len(p.Foreign) == 0 {
		return Condition{}, false
	}
	reason, text := "NotOurs", "targets that this binding did not make and leaves alone"
	switch p.Takeover {
	case targets.TakeoverShown:
		reason, text = "ToBeTakenOver", "ownership is Exclusive, so targets that this binding did not make will leave within the departure budget"
		if !p.TakeoverFrom.IsZero() {
			text += ", the first not before " + p.TakeoverFrom.UTC().Format(time.RFC3339)
		}
		text += "; write ownership: Shared to keep them"
	case targets.TakeoverClaims:
		reason, text = "Claiming", "ownership is Exclusive, so targets that this binding did not make leave as soon as the target group has had the tag of this binding for a minute"
	case targets.TakeoverLeaves:
		reason, text = "Leaving", "ownership is Exclusive, so targets that this binding did not make leave within the departure budget"
	case targets.TakeoverStopped:
		reason, text = "ComesBack", "targets that this binding did not make came back twice after they were deregistered, so somebody else owns them and nothing is done about them any more; find out who registers them, then change spec.forProvider.ownership"
	case targets.TakeoverNone:
	}
	return Condition{"ForeignTargets", reason, text + ": " + keyList(p.Foreign, foreignShown), true}, true
}

// yielding says that the binding wants to be the group's only owner and is not,
// because another one is.
func yielding(bd *binding) (Condition, bool) {
	switch {
	case bd.order.OwnedBy != "" && bd.wouldOwn():
		return Condition{"Yielding", "OwnedByAnother", "the target group has tag " + TagExclusiveOwner + "=" + bd.order.OwnedBy +
			": this binding leaves targets of others alone; delete that binding, or the tag if it does not exist any more", true}, true
	case bd.yields != nil:
		return Condition{"Yielding", "OlderBindingIsExclusive", "binding " + bd.yields.order.Binding.String() +
			" is older and Exclusive in the same target group: this one leaves targets of others alone", true}, true
	}
	return Condition{}, false
}

// TagExclusiveOwner names the binding that has taken over a target group which was
// not created here: cluster/namespace/name.
const TagExclusiveOwner = "nlb.crossplane.io/exclusive-owner"

// wouldOwn says that the order asks for Exclusive ownership.
func (bd *binding) wouldOwn() bool { return ownership(bd.order) == targets.OwnershipExclusive }

// mayNotOwn says that another binding owns the group, and who of this process;
// the binding then acts as a Shared one.
func (bd *binding) mayNotOwn(owner *binding) (*binding, bool) {
	if !bd.wouldOwn() {
		return nil, false
	}
	if owner != nil && owner != bd {
		return owner, true
	}
	return nil, bd.order.OwnedBy != ""
}
