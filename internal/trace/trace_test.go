package trace_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/bbsync/bbsync/internal/trace"
)

func TestWanted(t *testing.T) {
	for _, test := range []struct {
		env  map[string]string
		want bool
	}{
		{nil, false},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, true},
		{map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x"}, true},
		{map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}, true},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_TRACES_EXPORTER": "none"}, false},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "TRUE"}, false},
		{map[string]string{"OTEL_SERVICE_NAME": "x"}, false},
	} {
		if have := trace.Wanted(func(name string) string { return test.env[name] }); have != test.want {
			t.Errorf("%v: %t", test.env, have)
		}
	}
}

func TestNothingWithoutATracer(t *testing.T) {
	ctx := context.Background()
	within, end := trace.Start(ctx, "x")
	end(errors.New("y"))
	if within != ctx {
		t.Error("a span that nobody records")
	}
}

// A span of a request has no query and no header, and nothing is sent along.
func TestRequestsAreSpans(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Traceparent") != "" {
			t.Error("trace ids were sent along")
		}
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(server.Close)
	spans := tracetest.NewSpanRecorder()
	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(spans))
	ctx, root := provider.Tracer("").Start(context.Background(), "root")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/path?token=secret", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&http.Client{Transport: trace.Transport(http.DefaultTransport)}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	_, end := trace.Start(ctx, "step")
	end(errors.New("with a secret"))
	root.End()
	ended := spans.Ended()
	if len(ended) != 3 {
		t.Fatalf("%d spans", len(ended))
	}
	if s := ended[0]; s.Name() != "GET" || s.Parent().SpanID() != root.SpanContext().SpanID() || len(s.Attributes()) != 4 || s.Attributes()[2].Value.AsString() != "/path" || s.Attributes()[3].Value.AsInt64() != 403 {
		t.Errorf("%s %v", s.Name(), s.Attributes())
	}
	if s := ended[1]; s.Status().Code.String() != "Error" || s.Status().Description != "" || len(s.Events()) > 0 {
		t.Errorf("%+v", s.Status())
	}
}

// TestCredentialsNeedHTTPS refuses an endpoint that would get its headers in the
// clear, and one that is no address.
func TestCredentialsNeedHTTPS(t *testing.T) {
	for _, env := range []map[string]string{
		{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector.example:4318", "OTEL_EXPORTER_OTLP_HEADERS": "authorization=tiger"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT": "https://x", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector.example:4318", "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "x=tiger"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT": "https://user:tiger@collector.example"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT": "collector.example:4318"},
	} {
		var warnings []error
		_, end := trace.Run(t.Context(), "x", "1", func(name string) string { return env[name] }, func(err error) { warnings = append(warnings, err) })
		end(0)
		if len(warnings) != 1 || !strings.Contains(warnings[0].Error(), "_ENDPOINT: ") || strings.Contains(warnings[0].Error(), "tiger") {
			t.Errorf("%v: %v", env, warnings)
		}
	}
}
