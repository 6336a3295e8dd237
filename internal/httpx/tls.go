package httpx

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"strings"
)

// ErrOldTLS says that a server speaks no version of TLS that is still safe.
var ErrOldTLS = errors.New("the server speaks only TLS 1.1 or older, bbsync needs TLS 1.2 or newer")

// ExplainTLS names the errors of handshakes that do not explain themselves.
func ExplainTLS(err error) error {
	if oldTLS(err) {
		return errors.Join(ErrOldTLS, err)
	}
	return err
}

// oldTLS reports whether a handshake failed for want of a common version. A
// server says so by an alert, or by choosing a version that was not offered;
// crypto/tls has no type for either.
func oldTLS(err error) bool {
	const protocolVersion = tls.AlertError(70) // RFC 8446, section 6
	var alert tls.AlertError
	if errors.As(err, &alert) && alert == protocolVersion {
		return true
	}
	text := err.Error()
	return strings.Contains(text, "tls: protocol version not supported") || strings.Contains(text, "tls: server selected unsupported protocol version")
}

// badCertificate reports whether a server's certificate does not verify.
func badCertificate(err error) bool {
	var verification *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &name) || errors.As(err, &invalid)
}

// plainHTTP reports whether a server answered in plain HTTP: the transport's error has
// what came instead of a TLS record, and http.Client replaces that error.
func plainHTTP(err error) bool {
	if record, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return string(record.RecordHeader[:]) == "HTTP/"
	}
	return errors.Is(err, http.ErrSchemeMismatch)
}

// Permanent reports whether an error of a Transport is the same at the next try:
// nothing was carried out, and what is wrong has to be configured.
func Permanent(err error) bool {
	var redirect *RedirectError
	var certificate *ClientCertificateError
	return err != nil && (errors.As(err, &redirect) || errors.As(err, &certificate) || badCertificate(err) || errors.Is(err, ErrOldTLS) || plainHTTP(err))
}

// Advice says what to do about a permanent error, "" for others.
func Advice(err error) string {
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var certificate *ClientCertificateError
	var redirect *RedirectError
	switch {
	case err == nil:
	case errors.Is(err, ErrOldTLS):
		return "enable TLS 1.2 or 1.3 on the server or on the proxy in front of it"
	case errors.As(err, &name):
		return "use the name the certificate is for, or get a certificate for this name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "renew the server's certificate, and check this machine's clock"
	case badCertificate(err):
		return "if the certificate is from your own authority, set ca_file to its certificates"
	case errors.As(err, &certificate):
		return certificate.advice()
	case errors.As(err, &redirect):
		return redirect.advice()
	case plainHTTP(err):
		return "the port speaks plain HTTP: check scheme and port of the address"
	}
	return ""
}
