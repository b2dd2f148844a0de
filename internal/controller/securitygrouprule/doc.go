// Package securitygrouprule reconciles SecurityGroupRules: setup.go resolves the
// references and makes an external client for each reconcile, content.go brings
// what a rule says into the one form that AWS has for it, find.go says which rule
// is meant and whose it is, state.go compares what is wanted with what AWS has,
// and external.go does what is to be done.
package securitygrouprule
