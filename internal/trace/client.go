package trace

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/bbsync/bbsync/internal/httpx"
)

const (
	exportTimeout = 10 * time.Second // OpenTelemetry's default
	maxAnswer     = 4 << 20
)

// exportClient returns the client that spans are sent with. The library's own
// would send the headers wherever the collector redirects to, and quote its
// answers as they are. What the library does not read when it gets a client, the
// certificates and the timeout, is read here from OpenTelemetry's variables.
func exportClient(getenv func(string) string) (*http.Client, error) {
	options := httpx.Options{Timeout: exportTimeout, MaxBody: maxAnswer}
	if ms, err := strconv.Atoi(exporterVariable(getenv, "TIMEOUT")); err == nil && ms > 0 {
		options.Timeout = time.Duration(ms) * time.Millisecond
	}
	if file := exporterVariable(getenv, "CERTIFICATE"); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading OTEL_EXPORTER_OTLP_CERTIFICATE: %w", err)
		}
		options.CA = pem
	}
	certificate, key := exporterVariable(getenv, "CLIENT_CERTIFICATE"), exporterVariable(getenv, "CLIENT_KEY")
	if certificate != "" && key != "" {
		pair, err := tls.LoadX509KeyPair(certificate, key)
		if err != nil {
			return nil, fmt.Errorf("reading OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: %w", err)
		}
		options.Gateway.Certificate = &pair
	}
	transport, err := httpx.New(options)
	if err != nil {
		return nil, err
	}
	return httpx.Client(httpx.Quoting(transport)), nil
}

// exporterVariable reads the variable for traces, else the one for all signals.
func exporterVariable(getenv func(string) string, name string) string {
	if value := getenv("OTEL_EXPORTER_OTLP_TRACES_" + name); value != "" {
		return value
	}
	return getenv("OTEL_EXPORTER_OTLP_" + name)
}
