package httpx

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/secret"
)

// ClientCertificate makes a client certificate of its chain and its private key,
// both in PEM. Errors have no part of the key.
func ClientCertificate(chain, key secret.Text) (*tls.Certificate, error) {
	if strings.Contains(key.Reveal(), "ENCRYPTED") {
		return nil, errors.New("the key has a passphrase; store it without one (openssl pkey -in FILE -out FILE)")
	}
	pair, err := tls.X509KeyPair([]byte(chain.Reveal()), []byte(key.Reveal()))
	if err != nil {
		return nil, err
	}
	if end := pair.Leaf.NotAfter; end.Before(time.Now()) {
		return nil, fmt.Errorf("the certificate ended on %s; renew it", end.UTC().Format(time.DateOnly))
	}
	return &pair, nil
}

// CheckHeaderValue refuses what no header can have. Its error has no part of the value.
func CheckHeaderValue(value secret.Text) error {
	if strings.ContainsFunc(value.Reveal(), func(r rune) bool { return r < ' ' || r > '~' }) {
		return errors.New("has a character that no header can have")
	}
	return nil
}
