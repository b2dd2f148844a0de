package local

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Config is the admin's access. The caller may change what it gets.
func (c *ControlPlane) Config() *rest.Config { return rest.CopyConfig(c.config) }

// Client is the admin's client.
func (c *ControlPlane) Client() client.Client { return c.client }

// Kubeconfig is the path of the admin's kubeconfig file.
func (c *ControlPlane) Kubeconfig() string { return filepath.Join(c.dir, "admin.kubeconfig") }

// ConfigFor returns access as the user in the groups, who has the rights that RBAC
// gives them and no others.
func (c *ControlPlane) ConfigFor(user string, groups ...string) (*rest.Config, error) {
	pair, err := c.pki.client(user, groups...)
	if err != nil {
		return nil, err
	}
	config := c.anonymous()
	config.CertData, config.KeyData = pair.cert, pair.key
	return config, nil
}

// KubeconfigFor writes a kubeconfig file for the user in the groups, and returns
// its path.
func (c *ControlPlane) KubeconfigFor(user string, groups ...string) (string, error) {
	config, err := c.ConfigFor(user, groups...)
	if err != nil {
		return "", err
	}
	return c.writeUser(user, config)
}

// ServiceAccountConfig returns access as the service account, with a token as pods
// get it. The account must exist.
func (c *ControlPlane) ServiceAccountConfig(ctx context.Context, account client.ObjectKey) (*rest.Config, error) {
	sa := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: account.Namespace, Name: account.Name}}
	request := &authenticationv1.TokenRequest{}
	if err := c.client.SubResource("token").Create(ctx, sa, request); err != nil {
		return nil, fmt.Errorf("cannot get a token of service account %q: %w", account, err)
	}
	config := c.anonymous()
	config.BearerToken = request.Status.Token
	return config, nil
}

// ServiceAccountKubeconfig writes a kubeconfig file for the service account, and
// returns its path.
func (c *ControlPlane) ServiceAccountKubeconfig(ctx context.Context, account client.ObjectKey) (string, error) {
	config, err := c.ServiceAccountConfig(ctx, account)
	if err != nil {
		return "", err
	}
	return c.writeUser("system:serviceaccount:"+account.Namespace+":"+account.Name, config)
}

// anonymous is access as nobody in particular.
func (c *ControlPlane) anonymous() *rest.Config {
	return &rest.Config{
		Host:            c.ports.apiServer.url("https"),
		TLSClientConfig: rest.TLSClientConfig{CAData: c.pki.caPEM},
		// The API server is its callers' own: it paces them, not the client.
		QPS: -1,
	}
}

func (c *ControlPlane) writeUser(user string, config *rest.Config) (string, error) {
	name := strings.NewReplacer(":", "-", "/", "-").Replace(user)
	path := filepath.Join(c.dir, "user-"+name+".kubeconfig")
	return path, writeKubeconfig(path, config)
}

func writeKubeconfig(path string, config *rest.Config) error {
	const name = "local"
	return clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters: map[string]*clientcmdapi.Cluster{name: {
			Server: config.Host, CertificateAuthorityData: config.CAData,
		}},
		AuthInfos: map[string]*clientcmdapi.AuthInfo{name: {
			ClientCertificateData: config.CertData, ClientKeyData: config.KeyData, Token: config.BearerToken,
		}},
		Contexts:       map[string]*clientcmdapi.Context{name: {Cluster: name, AuthInfo: name}},
		CurrentContext: name,
	}, path)
}
