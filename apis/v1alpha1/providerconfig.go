package v1alpha1

import (
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
)

// CredentialsSource says where AWS credentials come from.
type CredentialsSource string

// The sources of credentials.
const (
	// SourceSecret reads an INI file as other AWS providers take it.
	SourceSecret CredentialsSource = "Secret"
	// SourceWebIdentity exchanges a token for the credentials of a role.
	SourceWebIdentity CredentialsSource = "WebIdentity"
	// SourcePodIdentity is EKS Pod Identity of the provider's own pod.
	SourcePodIdentity CredentialsSource = "PodIdentity"
	// SourceIRSA is the IAM role of the provider's own ServiceAccount.
	SourceIRSA CredentialsSource = "IRSA"
	// SourceInjectedIdentity is the AWS SDK's default chain.
	SourceInjectedIdentity CredentialsSource = "InjectedIdentity"
)

// ProviderConfigSpec says how to reach AWS, and as whom.
type ProviderConfigSpec struct {
	// Credentials to begin with.
	Credentials Credentials `json:"credentials"`

	// AssumeRoleChain are roles to assume one after another, at most 5.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=5
	AssumeRoleChain []AssumeRole `json:"assumeRoleChain,omitempty"`

	// Endpoint that replaces those of AWS, for tests and private endpoints.
	// +optional
	Endpoint *Endpoint `json:"endpoint,omitempty"`

	// DefaultTags are set on everything that is created with this configuration.
	// A resource's own tags win. At most 10.
	// +optional
	// +kubebuilder:validation:MaxProperties=10
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('aws:') && size(k) <= 128)",message="a tag key has at most 128 characters and must not begin with aws:, which AWS reserves"
	DefaultTags map[string]TagValue `json:"defaultTags,omitempty"`
}

// Credentials are where AWS credentials come from. The field of the source must
// be set and others must not.
// +kubebuilder:validation:XValidation:rule="(self.source == 'Secret') == has(self.secretRef)",message="credentials.secretRef must be set with source Secret, and only then"
// +kubebuilder:validation:XValidation:rule="(self.source == 'WebIdentity') == has(self.webIdentity)",message="credentials.webIdentity must be set with source WebIdentity, and only then"
type Credentials struct {
	// Source of the credentials: Secret, WebIdentity, PodIdentity, IRSA or
	// InjectedIdentity (the AWS SDK's default chain).
	// +kubebuilder:validation:Enum=Secret;WebIdentity;PodIdentity;IRSA;InjectedIdentity
	Source CredentialsSource `json:"source"`

	// SecretRef names a Secret's key that holds an INI file:
	// [default] with aws_access_key_id, aws_secret_access_key and, if the
	// credentials are temporary, aws_session_token.
	// +optional
	SecretRef *SecretKeySelector `json:"secretRef,omitempty"`

	// WebIdentity is a role and the token that it is given for.
	// +optional
	WebIdentity *WebIdentity `json:"webIdentity,omitempty"`
}

// A SecretKeySelector names a key of a Secret.
type SecretKeySelector struct {
	// Namespace of the Secret. Cluster-wide configurations must have it; a
	// namespaced ProviderConfig must not: it reads its own namespace.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Namespace *string `json:"namespace,omitempty"`
	// Name of the Secret.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// Key of the Secret's data.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key"`
}

// WebIdentity is a role and the token that it is given for.
type WebIdentity struct {
	// RoleARN of the role.
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^arn:[a-z0-9-]+:iam::[0-9]{12}:role/.+$`
	RoleARN string `json:"roleArn"`
	// SessionName shown in AWS's logs. Default: provider-nlb.
	// +optional
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_+=,.@-]+$`
	SessionName *string `json:"sessionName,omitempty"`
	// TokenSecretRef names the Secret that holds the token. Default: the file
	// that AWS_WEB_IDENTITY_TOKEN_FILE of the provider's pod names.
	// +optional
	TokenSecretRef *SecretKeySelector `json:"tokenSecretRef,omitempty"`
}

// AssumeRole is one role to assume.
type AssumeRole struct {
	// RoleARN of the role.
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^arn:[a-z0-9-]+:iam::[0-9]{12}:role/.+$`
	RoleARN string `json:"roleArn"`
	// ExternalID that the role's trust policy asks for.
	// +optional
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=1224
	ExternalID *string `json:"externalId,omitempty"`
	// SessionName shown in AWS's logs. Default: provider-nlb.
	// +optional
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_+=,.@-]+$`
	SessionName *string `json:"sessionName,omitempty"`
	// Tags of the session, at most 50.
	// +optional
	// +kubebuilder:validation:MaxProperties=50
	Tags map[string]TagValue `json:"tags,omitempty"`
	// TransitiveTagKeys are keys of session tags that later roles inherit.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=50
	TransitiveTagKeys []string `json:"transitiveTagKeys,omitempty"`
}

// Endpoint replaces AWS's endpoints.
type Endpoint struct {
	// URL of an endpoint that answers for all services.
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^https?://[^\s]+$`
	URL string `json:"url"`
}

// ProviderConfigStatus is the observed state of a provider configuration.
type ProviderConfigStatus struct {
	xpv2.ProviderConfigStatus `json:",inline"`
}
