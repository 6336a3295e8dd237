package httpx

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"

	"github.com/bbsync/bbsync/internal/secret"
)

// A Gateway is what a gateway in front of a server wants of every request.
type Gateway struct {
	Headers     []Header
	Certificate *tls.Certificate // shown to a server that asks for one; nil: none
}

// A Header goes with every request to the server's origin.
type Header struct {
	Name   string // canonical
	Value  secret.Text
	Public bool // the value is not a secret, and errors may quote it
}

// secrets returns the values that errors must not quote.
func (g Gateway) secrets() []secret.Text {
	var values []secret.Text
	for _, h := range g.Headers {
		if !h.Public {
			values = append(values, h.Value)
		}
	}
	return values
}

func (g Gateway) set(header http.Header) {
	for _, h := range g.Headers {
		header.Set(h.Name, h.Value.Reveal())
	}
}

// clientCertificate is called when a server asks for a client certificate. The
// certificate is shown whatever authorities the server names: its refusal says more
// than a missing certificate does.
func (t *Transport) clientCertificate(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	t.asked.Store(true)
	if certificate := t.options.Gateway.Certificate; certificate != nil {
		return certificate, nil
	}
	return &tls.Certificate{}, nil
}

// A ClientCertificateError says that a server ended the handshake because of the
// client certificate.
type ClientCertificateError struct {
	Sent  bool // a certificate was shown, and refused
	Cause error
}

func (e *ClientCertificateError) Error() string {
	if e.Sent {
		return fmt.Sprintf("the server, or the gateway in front of it, refused the client certificate: %v", e.Cause)
	}
	return fmt.Sprintf("the server, or the gateway in front of it, asks for a client certificate: %v", e.Cause)
}

// Unwrap returns the alert, or how the connection ended.
func (e *ClientCertificateError) Unwrap() error { return e.Cause }

func (e *ClientCertificateError) advice() string {
	if e.Sent {
		return "check that client_certificate has the whole chain, has not ended, and is from an authority that the gateway trusts"
	}
	return AdviseCertificate
}

// AdviseCertificate says how a client certificate is configured.
const AdviseCertificate = "set client_certificate and client_key in the block of this server"

// explainCertificate recognizes the end of a handshake, or of a connection, for
// which the client certificate is the reason. With TLS 1.3 the server judges it
// when the client has sent its request already, so that the connection may be
// reset before the alert is read.
func (t *Transport) explainCertificate(err error) error {
	sent := t.options.Gateway.Certificate != nil
	switch asked := t.asked.Load(); {
	case certificateAlert(err, asked), asked && !sent && !t.answered.Load() && reset(err):
		return &ClientCertificateError{Sent: asked && sent, Cause: err}
	}
	return err
}

// certificateAlert reports whether a server's alert is about a client certificate.
// crypto/tls has no type for alerts, only their texts. Servers on OpenSSL send
// "handshake failure" for a missing certificate before TLS 1.3.
func certificateAlert(err error, asked bool) bool {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" {
		return false
	}
	alert := op.Err.Error()
	if strings.HasSuffix(alert, "certificate required") {
		return true
	}
	return asked && (strings.Contains(alert, "certificate") || strings.HasSuffix(alert, "handshake failure") || strings.HasSuffix(alert, "access denied"))
}

// reset reports whether the connection ended without an answer. HTTP/2 has no value
// for a connection that ended before its settings came.
func reset(err error) bool {
	if strings.Contains(err.Error(), "client conn could not be established") {
		return true
	}
	for _, end := range []error{syscall.ECONNRESET, syscall.EPIPE, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}
