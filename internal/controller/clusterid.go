package controller

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"regexp"

	corev1 "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crossplane/crossplane-runtime/v2/pkg/errors"
)

// Where the cluster's id is kept. Put the ConfigMap into Git to rebuild a cluster
// that owns what it has created.
const (
	IdentityConfigMap = "provider-nlb-identity"
	identityKey       = "clusterId"
)

var validClusterID = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9._-]{0,62}[a-zA-Z0-9])?$`)

// ClusterID returns the id that marks what this cluster creates: the given one,
// or that of the ConfigMap in the provider's namespace, which is made if it is not
// there. Two processes that start together get the same. The client must not read
// from a cache.
func ClusterID(ctx context.Context, c client.Client, namespace, given string) (string, error) {
	if given != "" {
		return checkClusterID(given, "--cluster-id")
	}

	key := client.ObjectKey{Namespace: namespace, Name: IdentityConfigMap}
	where := "ConfigMap " + key.String() + ", key " + identityKey

	for range 5 {
		cm := &corev1.ConfigMap{}

		err := c.Get(ctx, key, cm)
		if kerrors.IsNotFound(err) {
			cm = &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: IdentityConfigMap}, Data: map[string]string{identityKey: randomID()}}
			err = c.Create(ctx, cm)
		} else if err == nil && cm.Data[identityKey] == "" {
			cm.Data = map[string]string{identityKey: randomID()}
			err = c.Update(ctx, cm)
		}

		switch {
		case kerrors.IsAlreadyExists(err), kerrors.IsConflict(err):
			continue
		case err != nil:
			return "", errors.Wrapf(err, "cannot read or make the cluster's id in %s", where)
		}

		return checkClusterID(cm.Data[identityKey], where)
	}

	return "", errors.Errorf("cannot make the cluster's id in %s: others keep changing it", where)
}

func checkClusterID(id, where string) (string, error) {
	if !validClusterID.MatchString(id) {
		return "", errors.Errorf("%s: %q is no cluster id: use up to 64 letters, digits, dots, underscores and hyphens", where, id)
	}

	return id, nil
}

func randomID() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b)

	return hex.EncodeToString(b)
}
