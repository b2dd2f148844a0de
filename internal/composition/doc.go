// Package composition is the pure core of function-hostnetwork-nlb: what a claim
// of a load balancer asks for, and what there is of it, become the resources to
// compose. It does no input or output: cmd/function serves it.
//
// The types of its composite resources are the source of the XRDs in
// package/configuration. They exist in two styles, which differ in their envelope
// only: namespaced ones over the kinds of nlb.m.crossplane.io, and legacy
// cluster-scoped ones, behind claims, over the kinds of nlb.crossplane.io.
//
// +groupName=edge.nlb.crossplane.io
// +versionName=v1alpha1
package composition
