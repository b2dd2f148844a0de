// Package controller holds what the reconcilers of all kinds share, for both
// scopes: how a kind is set up, how it reaches AWS, how references are resolved,
// how things in AWS are told to be ours, and how status is written.
//
// A kind brings a managed.TypedExternalConnector over an interface that both of
// its structs satisfy, and calls SetupGated once per scope:
//
//	controller.SetupGated(mgr, o, controller.Kind[TargetGroup]{GVK: …, Connector: …})
//
// Around crossplane-runtime's managed.Reconciler stands one pass per reconcile
// (pass.go). It carries what the runtime does not: which generation was found
// applied, whether an error can only be cured by a change of the object, and
// when to look again. An external client therefore only returns observations
// and errors; two of these have a meaning of their own: Stalled and Waiting.
package controller
