// Package securitygroup reconciles SecurityGroups: setup.go makes an external
// client for each reconcile, find.go says which security group is meant and whose
// it is, state.go compares what is wanted with what AWS has, egress.go takes away
// the rule that AWS gives to new groups, and external.go does what is to be done.
// It never touches any other rule: each is a SecurityGroupRule.
package securitygroup
