package controller

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crossplane/crossplane-runtime/v2/pkg/errors"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/aws"
)

const flagTrusted = "--namespaced-provider-configs=trusted"

// allowed says whether a tenant may have what the configuration asks for. A
// namespaced one must neither borrow the provider's identity nor send tokens
// elsewhere, unless the provider's owner trusts tenants.
func (pc *providerConfig) allowed(trust bool) error {
	if pc.namespace == "" || trust {
		return nil
	}

	c := pc.spec.Credentials

	switch {
	case c.Source != v1alpha1.SourceSecret && c.Source != v1alpha1.SourceWebIdentity:
		return errors.Errorf("spec.credentials.source %s uses the provider's own identity, which a namespaced ProviderConfig may only with %s: "+
			"use Secret, WebIdentity with tokenSecretRef, or a ClusterProviderConfig", c.Source, flagTrusted)
	case c.Source == v1alpha1.SourceWebIdentity && (c.WebIdentity == nil || c.WebIdentity.TokenSecretRef == nil):
		return errors.Errorf("spec.credentials.webIdentity.tokenSecretRef is missing: the provider's own token may be used by a namespaced ProviderConfig only with %s", flagTrusted)
	case pc.spec.Endpoint != nil:
		return errors.Errorf("spec.endpoint is allowed in a namespaced ProviderConfig only with %s: remove it, or use a ClusterProviderConfig", flagTrusted)
	}

	return nil
}

// read what the configuration names.
func (pc *providerConfig) read(ctx context.Context, secrets client.Reader) (aws.Config, error) {
	creds, err := pc.credentials(ctx, secrets)
	if err != nil {
		return aws.Config{}, err
	}

	cfg := aws.Config{Credentials: creds}
	if pc.spec.Endpoint != nil {
		cfg.EndpointURL = pc.spec.Endpoint.URL
	}

	for _, r := range pc.spec.AssumeRoleChain {
		cfg.AssumeRoleChain = append(cfg.AssumeRoleChain, aws.AssumeRole{
			RoleARN:           r.RoleARN,
			ExternalID:        value(r.ExternalID),
			SessionName:       value(r.SessionName),
			Tags:              plain(r.Tags),
			TransitiveTagKeys: r.TransitiveTagKeys,
		})
	}

	return cfg, nil
}

func (pc *providerConfig) credentials(ctx context.Context, secrets client.Reader) (aws.Credentials, error) {
	c := pc.spec.Credentials
	out := aws.Credentials{Source: aws.Source(c.Source)}

	switch c.Source {
	case v1alpha1.SourceSecret:
		if c.SecretRef == nil {
			return out, errors.New("spec.credentials.secretRef is missing: source Secret needs it")
		}

		data, err := pc.secret(ctx, secrets, "spec.credentials.secretRef", *c.SecretRef)
		if err != nil {
			return out, err
		}

		out.Static, err = aws.ParseCredentialsINI(data)

		return out, errors.Wrapf(err, "spec.credentials.secretRef: key %q of Secret %q", c.SecretRef.Key, c.SecretRef.Name)
	case v1alpha1.SourceWebIdentity:
		if c.WebIdentity == nil {
			return out, errors.New("spec.credentials.webIdentity is missing: source WebIdentity needs it")
		}

		out.WebIdentity = aws.WebIdentity{RoleARN: c.WebIdentity.RoleARN, SessionName: value(c.WebIdentity.SessionName)}

		if c.WebIdentity.TokenSecretRef == nil {
			return out, nil
		}

		token, err := pc.secret(ctx, secrets, "spec.credentials.webIdentity.tokenSecretRef", *c.WebIdentity.TokenSecretRef)
		out.WebIdentity.Token = token

		return out, err
	case v1alpha1.SourcePodIdentity, v1alpha1.SourceIRSA, v1alpha1.SourceInjectedIdentity:
	}

	return out, nil
}

// A missingSecret is a Secret or a key of it that is not there.
type missingSecret struct{ field, what string }

func (e missingSecret) Error() string { return fmt.Sprintf("%s: %s does not exist", e.field, e.what) }

// secret reads a key. A namespaced configuration reads its own namespace only,
// whatever it says.
func (pc *providerConfig) secret(ctx context.Context, secrets client.Reader, field string, s v1alpha1.SecretKeySelector) ([]byte, error) {
	namespace := pc.namespace
	if namespace == "" {
		namespace = value(s.Namespace)
	}

	if namespace == "" {
		return nil, errors.Errorf("%s.namespace is missing: name the namespace of the Secret", field)
	}

	secret := &corev1.Secret{}

	err := secrets.Get(ctx, client.ObjectKey{Namespace: namespace, Name: s.Name}, secret)
	if kerrors.IsNotFound(err) {
		return nil, missingSecret{field: field, what: fmt.Sprintf("Secret %q in namespace %q", s.Name, namespace)}
	}

	if err != nil {
		return nil, errors.Wrapf(err, "%s: cannot get Secret %q in namespace %q", field, s.Name, namespace)
	}

	data, ok := secret.Data[s.Key]
	if !ok || len(data) == 0 {
		return nil, missingSecret{field: field, what: fmt.Sprintf("key %q of Secret %q in namespace %q", s.Key, s.Name, namespace)}
	}

	return data, nil
}

func value(s *string) string {
	if s == nil {
		return ""
	}

	return *s
}
