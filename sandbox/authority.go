package sandbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// An authority is the sandbox's own certificate authority, with one certificate
// for loopback.
type authority struct {
	file string // the CA in PEM
	pem  []byte
	leaf tls.Certificate
}

// openAuthority reads the authority from the folder or makes one there.
func openAuthority(folder string) (*authority, error) {
	a := &authority{file: filepath.Join(folder, "ca.pem")}
	leaf := filepath.Join(folder, "server.pem")
	if _, err := os.Stat(leaf); errors.Is(err, os.ErrNotExist) {
		if err := makeAuthority(a.file, leaf); err != nil {
			return nil, fmt.Errorf("making the sandbox's certificates: %w", err)
		}
	}
	var err error
	if a.pem, err = os.ReadFile(a.file); err != nil {
		return nil, err
	}
	a.leaf, err = tls.LoadX509KeyPair(leaf, leaf)
	return a, err
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(a.pem)
	return pool
}

func (a *authority) config() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{a.leaf}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
}

func makeAuthority(caFile, leafFile string) error {
	ca, caKey, caDER, err := certificate(&x509.Certificate{
		Subject: pkix.Name{CommonName: "bbsync sandbox"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, nil)
	if err != nil {
		return err
	}
	_, key, der, err := certificate(&x509.Certificate{
		Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, ca, caKey)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	leaf := append(encode("CERTIFICATE", der), encode("EC PRIVATE KEY", keyDER)...)
	if err := os.WriteFile(leafFile, leaf, 0o600); err != nil {
		return err
	}
	return os.WriteFile(caFile, encode("CERTIFICATE", caDER), 0o644) //nolint:gosec // public
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// certificate makes a certificate of a new key, signed by the parent or, for a
// nil one, by itself.
func certificate(template, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, nil, nil, err
	}
	template.SerialNumber = serial
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().AddDate(1, 0, 0)
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, nil, nil, err
	}
	made, err := x509.ParseCertificate(der)
	return made, key, der, err
}
