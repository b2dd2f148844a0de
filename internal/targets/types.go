package targets

import "time"

// Key identifies a target as AWS does: by its id and port. Two pods on one
// instance and port are one target.
type Key struct {
	// ID is an EC2 instance id (i-…) or, for target type ip, an address.
	ID string
	// Port is the port that traffic is sent to, 1-65535.
	Port int32
}

// Type is a target group's target type, in AWS's words.
type Type string

// The target types that a binding can serve.
const (
	TypeInstance Type = "instance"
	TypeIP       Type = "ip"
)

// Protocol is a protocol of a pod's port, in Kubernetes' words.
type Protocol string

// The protocols of a pod's port.
const (
	ProtocolTCP Protocol = "TCP"
	ProtocolUDP Protocol = "UDP"
)

// Group is what is known of the target group itself.
type Group struct {
	// ARN of the target group.
	ARN string
	// Protocol of the group: TCP, TLS, UDP or TCP_UDP.
	Protocol string
	// Type of its targets.
	Type Type
	// CrossZone says that the group balances across zones. Rules about a zone
	// then are about the whole group.
	CrossZone bool
	// Ours says that the group carries this cluster's creation tags.
	Ours bool
	// Check is the group's health check.
	Check HealthCheck
	// EndsUnhealthy says that AWS ends the connections of a target when it calls it
	// unhealthy (attribute target_health_state.unhealthy.connection_termination.enabled).
	EndsUnhealthy bool
}

// HealthCheck is how AWS checks the targets of a group.
type HealthCheck struct {
	// Protocol is TCP, HTTP or HTTPS; empty if it is not known.
	Protocol string
	// Port is "traffic-port", or a number.
	Port string
	// Interval between two checks, and Unhealthy how many must fail in a row.
	Interval  time.Duration
	Unhealthy int
}

// Notices is how long AWS takes to call a target unhealthy that has begun to fail:
// H of binding.md §11.
func (c HealthCheck) Notices() time.Duration { return c.Interval * time.Duration(c.Unhealthy) }

// PodRef names a pod for people.
type PodRef struct {
	Namespace, Name, UID string
}

// Port is a port that a container of a pod declares.
type Port struct {
	// Name of the port; may be empty.
	Name string
	// Protocol is TCP or UDP.
	Protocol Protocol
	// Container is the containerPort.
	Container int32
	// Host is the hostPort, 0 if none.
	Host int32
	// HostIP restricts Host to one address; empty is every address.
	HostIP string
	// PreStop says that the port's container has a preStop hook.
	PreStop bool
}

// Pod is a pod as the plan needs it.
type Pod struct {
	PodRef
	// Node is the node that it is bound to, empty if none yet.
	Node string
	// IP is the pod's own address; of a hostNetwork pod the node's.
	IP string
	// HostNetwork is spec.hostNetwork.
	HostNetwork bool
	// Phase is status.phase: Pending, Running, Succeeded, Failed or Unknown.
	Phase string
	// ContainersReady is the condition of that name.
	ContainersReady bool
	// UnreadySince is when ContainersReady last turned False; zero if it is
	// True or never was.
	UnreadySince time.Time
	// Terminating means a deletionTimestamp or condition DisruptionTarget=True.
	Terminating bool
	// Excluded is annotation nlb.crossplane.io/exclude: "true".
	Excluded bool
	// DaemonSet says that its controller is a DaemonSet; Static, that it is a
	// mirror of a static pod. Both come back on the node that they leave.
	DaemonSet, Static bool
	// PreStop says that one of its containers has a preStop hook, and Grace is its
	// termination grace period, which includes the hook.
	PreStop bool
	Grace   time.Duration
	// Ports of its containers and restartable init containers.
	Ports []Port
	// Gates are its readiness gates that name bindings; ReadySince, of a pod that
	// has some, is when ContainersReady last turned True by the node's clock.
	Gates      []Gate
	ReadySince time.Time
}

// NodeClass says what the signals on a node (binding.md §4) mean for its targets.
type NodeClass int

// The classes, from calm to urgent.
const (
	// NodeStays: no signal. Cordon and not-ready taints are none.
	NodeStays NodeClass = iota
	// NodeDeparting: announced, may be undone. Its targets leave within the
	// departure budget and no new ones are registered.
	NodeDeparting
	// NodeLeaving: going for certain. Its targets are deregistered now, but for
	// the floor.
	NodeLeaving
)

// Node is a node as the plan needs it.
type Node struct {
	Name string
	// InstanceID is the EC2 instance id of spec.providerID; empty if it has none.
	InstanceID string
	// Zone is label topology.kubernetes.io/zone, or the zone of the providerID.
	Zone string
	// Addresses are its InternalIPs; they decide which hostIP is the node's.
	Addresses []string
	// Class and the signal (taint, label, …) that it comes from.
	Class  NodeClass
	Signal string
	// Ready is condition Ready=True.
	Ready bool
	// GoneSince is set for a node that was deleted and is only remembered (24 h).
	GoneSince time.Time
}

// Nodes is an immutable set of nodes, shared between views. Remembered nodes
// (GoneSince set) are in it too.
type Nodes struct {
	ByName     map[string]*Node
	ByInstance map[string]*Node
	ByAddress  map[string]*Node
}

// Selection is which pods and which of their ports.
type Selection struct {
	// Port is the host port when it is not 0; otherwise PortName is looked up
	// among the containers' ports.
	Port     int32
	PortName string
	// HostPorts also admits pods that are not hostNetwork and have a hostPort.
	HostPorts bool
}

// View is what Kubernetes says, at one moment, about one binding.
type View struct {
	// Incomplete says why the view must not be trusted to be whole (a cache
	// that is not synced, a broken watch, a missing permission); empty if whole.
	Incomplete string
	// Missing says that what selects the pods does not exist or selects nothing
	// by itself (no such Service, a Service without selector); empty if fine.
	Missing string
	// Selection with a Service's port already resolved to its targetPort.
	Selection Selection
	// Pods that match, whatever their state, sorted by namespace and name.
	Pods []Pod
	// Nodes of the cluster, those that nodeSelector refuses included.
	Nodes *Nodes
	// NodeRefused are names of nodes that nodeSelector refuses.
	NodeRefused map[string]bool
	// Occupied names, for targets of this group that no matching pod claims, a
	// running pod that is not ours and owns that instance and host port now.
	Occupied map[Key]PodRef
	// Unselected are, for targets of this group that no matching pod claims which
	// goes on, pods that run there and are not selected, but are no strangers either:
	// an edit of the selection or of their labels took them away, not their end.
	Unselected map[Key]Pod
	// Relisted says that pods vanished in a re-list, not by a watch event.
	Relisted map[Key]bool
	// Deselected are UIDs of pods that matched once, do not any more, and are
	// there: neither over nor terminating.
	Deselected map[string]bool
}

// Presence is what we know of a target's registration.
type Presence int

// What is known of a target. Unknown follows a failed or timed-out write.
const (
	Unknown Presence = iota
	Registered
	Draining
	Absent
)

// Health is AWS's word for a registered target's state.
type Health string

// AWS's target health states (API reference, TargetHealth).
const (
	HealthUnread            Health = ""
	HealthInitial           Health = "initial"
	HealthHealthy           Health = "healthy"
	HealthUnhealthy         Health = "unhealthy"
	HealthUnhealthyDraining Health = "unhealthy.draining"
	HealthDraining          Health = "draining"
	HealthUnused            Health = "unused"
	HealthUnavailable       Health = "unavailable"
)

// Target is one target as we know it of AWS.
type Target struct {
	Key
	Presence Presence
	Health   Health
	// Reason is AWS's reason code, such as Elb.RegistrationInProgress.
	Reason string
	// Stale says that Health is too old to go by: the group cannot be read, or was read
	// so soon after the process began that AWS may have told of what was before the
	// last write. It may serve by now, or no more.
	Stale bool
	// ReadAt is when the read began that told Health for certain; zero if none did
	// since it was registered.
	ReadAt time.Time
	// Shifted says that a zonal shift keeps traffic from it (AdministrativeOverride).
	Shifted bool
	// Zone is the availability zone as far as known from the node.
	Zone string
	// LastWrite is when we last wrote it in this process; zero if never.
	LastWrite time.Time
	// RefusedUntil is when a target that AWS refused may be asked for again.
	RefusedUntil time.Time
	// Refusal is what AWS said.
	Refusal string
}
