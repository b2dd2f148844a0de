// Package v1alpha1 holds the namespaced kinds of the API: thin shells around the
// parameters, observations and rules of apis/v1alpha1, which both scopes share.
// What is written here is what the scope means; a diff of the two packages shows
// it.
//
// +kubebuilder:object:generate=true
// +groupName=nlb.m.crossplane.io
// +versionName=v1alpha1
package v1alpha1
