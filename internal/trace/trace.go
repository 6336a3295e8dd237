// Package trace tells where a run's time goes, as OpenTelemetry spans: the run,
// its connections, their steps, their HTTP calls. It is off, and costs nothing,
// unless the run's context carries a tracer. A span holds names and outcomes,
// never a body, a header or a query.
package trace

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// scope names bbsync as what makes the spans.
const scope = "github.com/bbsync/bbsync"

// Start begins a span below the context's and returns what ends it. Of an error
// only that there was one is told: what it says is for whoever runs bbsync.
func Start(ctx context.Context, name string, attributes ...attribute.KeyValue) (context.Context, func(error)) {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return ctx, func(error) {}
	}
	ctx, span := tracer(ctx).Start(ctx, name, trace.WithAttributes(attributes...))
	return ctx, func(err error) { end(span, err) }
}

func tracer(ctx context.Context) trace.Tracer {
	return trace.SpanFromContext(ctx).TracerProvider().Tracer(scope)
}

func end(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

// Connection is the attribute that tells connections apart.
func Connection(address string) attribute.KeyValue {
	return attribute.String("bbsync.connection", address)
}

// Transport makes a span of each request. It sends no trace ids along: they are
// nobody's business but the collector's.
func Transport(base http.RoundTripper) http.RoundTripper { return &transport{base} }

type transport struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if !trace.SpanFromContext(ctx).IsRecording() {
		return t.base.RoundTrip(req)
	}
	ctx, span := tracer(ctx).Start(ctx, req.Method, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("http.request.method", req.Method),
		attribute.String("server.address", req.URL.Host),
		attribute.String("url.path", req.URL.Path),
	))
	res, err := t.base.RoundTrip(req.WithContext(ctx))
	if res != nil {
		span.SetAttributes(attribute.Int("http.response.status_code", res.StatusCode))
		if res.StatusCode >= http.StatusBadRequest {
			span.SetStatus(codes.Error, "")
		}
	}
	end(span, err)
	return res, err
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the base.
func (t *transport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
