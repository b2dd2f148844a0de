package local

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// pki is the certificate authority of one control plane. It signs the serving
// certificate and every client's.
type pki struct {
	dir   string
	key   *ecdsa.PrivateKey
	cert  *x509.Certificate
	caPEM []byte
}

// keyPair is a certificate and its key, as PEM.
type keyPair struct {
	cert, key []byte
}

// newPKI makes the authority and writes to dir what the components read: ca.crt,
// serving.crt and .key, and the key pair of service account tokens, sa.pub and
// sa.key.
func newPKI(dir string) (*pki, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	p := &pki{dir: dir, key: key, cert: &x509.Certificate{
		Subject:               pkix.Name{CommonName: "provider-nlb local control plane"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}}
	der, err := p.signed(p.cert, &key.PublicKey)
	if err != nil {
		return nil, err
	}
	if p.cert, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	p.caPEM = encode("CERTIFICATE", der)
	serving, err := p.sign(&x509.Certificate{
		Subject:     pkix.Name{CommonName: "localhost"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 96, 0, 1)},
	})
	if err != nil {
		return nil, err
	}
	saKey, saPub, err := tokenKeys()
	if err != nil {
		return nil, err
	}
	for name, data := range map[string][]byte{
		"ca.crt": p.caPEM, "serving.crt": serving.cert, "serving.key": serving.key, "sa.key": saKey, "sa.pub": saPub,
	} {
		if err := os.WriteFile(p.file(name), data, 0o600); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *pki) file(name string) string { return filepath.Join(p.dir, name) }

// client returns a client certificate that authenticates as the user, in the
// groups.
func (p *pki) client(user string, groups ...string) (keyPair, error) {
	return p.sign(&x509.Certificate{
		Subject:     pkix.Name{CommonName: user, Organization: groups},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

// sign makes a key and a certificate for it.
func (p *pki) sign(template *x509.Certificate) (keyPair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return keyPair{}, err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	cert, err := p.signed(template, &key.PublicKey)
	if err != nil {
		return keyPair{}, fmt.Errorf("cannot sign the certificate of %q: %w", template.Subject.CommonName, err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return keyPair{}, err
	}
	return keyPair{cert: encode("CERTIFICATE", cert), key: encode("EC PRIVATE KEY", der)}, nil
}

// signed returns the signed certificate. It is valid from an hour ago, for clocks
// that are set back, to some days ahead: no control plane lives longer.
func (p *pki) signed(template *x509.Certificate, public *ecdsa.PublicKey) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().Add(30 * 24 * time.Hour)
	return x509.CreateCertificate(rand.Reader, template, p.cert, public, p.key)
}

// tokenKeys returns the key pair that signs service account tokens.
func tokenKeys() (private, public []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	pubDER, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, nil, err
	}
	return encode("EC PRIVATE KEY", keyDER), encode("PUBLIC KEY", pubDER), nil
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
