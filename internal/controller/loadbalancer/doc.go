// Package loadbalancer reconciles LoadBalancers: Network Load Balancers with their
// subnets, addresses, security groups, attributes and reserved capacity. Listeners
// are a kind of their own.
//
// Observe reads and decides (find.go, state.go, attributes.go); Update does what
// was decided (apply.go, subnets.go), one call for each part that differs.
package loadbalancer
