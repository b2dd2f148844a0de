// Package local starts a real Kubernetes control plane on loopback, without
// containers: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, and
// kwok, which plays the kubelets. Tests and the demo share it.
//
// Build makes its binary from pinned Go modules and keeps it in a cache outside
// the work tree. Start starts a fresh control plane on free ports in seconds;
// Stop ends it and removes its files. Run starts other programs beside it, such
// as Crossplane, which are built in the same way. When the process that
// called Start dies, however it dies, everything ends with it.
package local
