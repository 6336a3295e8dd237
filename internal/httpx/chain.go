package httpx

import (
	"crypto/x509"
	"time"
)

// A Certificate is one that must be renewed before it ends.
type Certificate struct {
	Subject       string
	Begins, Until time.Time
	Own           bool // shown by bbsync; else by the server, or by a proxy that opens TLS
}

// Certificates returns the server's certificates as the first handshake showed them,
// its own first, and then bbsync's. An authority's own certificate, which some
// servers send though nobody needs it, is left out. There are none before the first
// answer, and without TLS.
func (t *Transport) Certificates() []Certificate {
	var out []Certificate
	if chain := t.chain.Load(); chain != nil {
		out = certificates(*chain, false)
	}
	if own := t.options.Gateway.Certificate; own != nil && own.Leaf != nil {
		out = append(out, certificates([]*x509.Certificate{own.Leaf}, true)...)
	}
	return out
}

func certificates(chain []*x509.Certificate, own bool) []Certificate {
	var out []Certificate
	for i, c := range chain {
		if i == 0 || c.Subject.String() != c.Issuer.String() {
			out = append(out, Certificate{Subject: c.Subject.String(), Begins: c.NotBefore, Until: c.NotAfter, Own: own})
		}
	}
	return out
}
