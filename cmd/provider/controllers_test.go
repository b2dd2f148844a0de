package main

import (
	"testing"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/config"
)

// plainManager has nothing but the options of its controllers.
type plainManager struct {
	ctrl.Manager
	options config.Controller
}

func (m *plainManager) GetControllerOptions() config.Controller { return m.options }

// TestOnlyTheGateDoesNotWaitForTheLease: the gate's manager says so of its own
// controllers, and the manager of all others is as it was. These write to AWS.
func TestOnlyTheGateDoesNotWaitForTheLease(t *testing.T) {
	inner := &plainManager{}
	if need := (unelected{inner}).GetControllerOptions().NeedLeaderElection; need == nil || *need {
		t.Error("the gate waits for the lease")
	}
	if need := inner.GetControllerOptions().NeedLeaderElection; need != nil {
		t.Errorf("the other controllers have NeedLeaderElection=%v, want controller-runtime's default, which waits", *need)
	}
}
