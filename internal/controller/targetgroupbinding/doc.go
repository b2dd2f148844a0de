// Package targetgroupbinding reconciles TargetGroupBindings of both scopes. The
// reconciler carries identity, credentials, policies, status and deletion; the
// registering itself is package binder's: Observe hands it an order and copies
// its snapshot into status.
package targetgroupbinding
