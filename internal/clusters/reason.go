package clusters

import (
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilnet "k8s.io/apimachinery/pkg/util/net"
)

// incomplete says why a view of sub is not whole, in an order that does not
// change; empty if it is whole. Callers hold mu.
func (c *Cluster) incomplete(sub *subscription, now time.Time) string {
	var reasons []string
	for _, s := range c.needs(sub) {
		if r := s.reason(now); r != "" {
			reasons = append(reasons, r)
		}
	}
	return strings.Join(reasons, "; ")
}

// reason says why the stream's table is not whole, empty if it is. It has no
// times, addresses or counts: it is shown to people and compared.
func (s *stream) reason(now time.Time) string {
	if s.synced && (s.downSince.IsZero() || now.Sub(s.downSince) < grace) {
		return ""
	}
	switch {
	case apierrors.IsForbidden(s.listErr) || apierrors.IsForbidden(s.watchErr):
		return s.forbidden()
	case apierrors.IsUnauthorized(s.listErr) || apierrors.IsUnauthorized(s.watchErr):
		return fmt.Sprintf("cannot list %s: the API server does not accept the provider's credentials (Unauthorized)", s.resource)
	case isFieldUnknown(s.listErr):
		return "this Kubernetes API server does not support the field selector spec.hostNetwork=true (it needs Kubernetes 1.28)"
	case s.listErr != nil:
		return fmt.Sprintf("cannot list %s: %s", s.resource, cause(s.listErr))
	case s.watchErr != nil && s.synced:
		return fmt.Sprintf("the watch of %s is broken: %s", s.resource, cause(s.watchErr))
	case s.watchErr != nil:
		return fmt.Sprintf("cannot watch %s: %s", s.resource, cause(s.watchErr))
	case !s.synced:
		return fmt.Sprintf("%s are not synced yet", s.resource)
	default:
		return fmt.Sprintf("the watch of %s is broken: the API server closed it", s.resource)
	}
}

// forbidden names the verbs that are missing. A list that is refused comes
// before any watch, so nothing is known of that verb then.
func (s *stream) forbidden() string {
	verbs := "verb watch"
	if apierrors.IsForbidden(s.listErr) {
		verbs = "verbs list, watch"
	}
	text := fmt.Sprintf("cannot list %s: the provider's ServiceAccount lacks permission (%s on %s)", s.resource, verbs, s.resource)
	if s.c.file != "" {
		text += "; apply " + s.c.file
	}
	return text
}

func isAccess(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err)
}

func isUnreachable(err error) bool {
	return err != nil && apierrors.ReasonForError(err) == ""
}

// isFieldUnknown recognises what an API server answers to a field selector that
// it does not know. There is no code for it but BadRequest.
func isFieldUnknown(err error) bool {
	return apierrors.IsBadRequest(err) && strings.Contains(err.Error(), "field label not supported")
}

// cause is an error in words that are the same each time. Messages of the network
// and of API servers have addresses, ports and ids in them.
func cause(err error) string {
	switch reason := apierrors.ReasonForError(err); {
	case reason != "":
		return fmt.Sprintf("the API server answers %s", reason)
	case utilnet.IsConnectionRefused(err):
		return "the API server refuses connections"
	case utilnet.IsTimeout(err):
		return "the API server does not answer in time"
	default:
		return "the API server cannot be reached"
	}
}
