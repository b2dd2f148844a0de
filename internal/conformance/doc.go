// Package conformance holds the laws that every kind keeps, in both scopes: what
// GitOps tools are told, what is written, what management policies and Crossplane's
// annotations do. Its tests run the real controllers of all kinds in one manager on
// a real API server, against a simulated AWS.
//
// The table is everyKind; a law is a function of a world, which is one object's kind
// and scope with an AWS of its own. What only one kind does is tested in its
// package.
package conformance
