// Package listener reconciles Listeners: the listeners of Network Load Balancers
// with their certificates, idle timeout and rules. A listener is found again by its
// load balancer and port.
//
// Connect resolves references into what is wanted (wanted.go), Observe reads
// (find.go) and decides (state.go), and Update does what was decided (apply.go).
package listener
