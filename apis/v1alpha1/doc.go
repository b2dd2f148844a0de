// Package v1alpha1 holds what both scopes of the API share: the parameters, the
// observations and the rules of each kind, but no kinds. The kinds, in
// apis/namespaced and apis/cluster, are thin shells around these structs, so
// that a field, its documentation and its validation are written once.
//
// Field names are AWS's member names in lower camel case. A pointer that is nil
// means "not managed here", never "AWS's default". Nothing is ever written into
// a spec by the provider: what AWS chose is shown in status.atProvider.
//
// +kubebuilder:object:generate=true
package v1alpha1
