package trace

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/bbsync/bbsync/internal/names"
)

// queue holds the spans of a large fleet until they are sent; a collector that is
// slower loses spans and does not slow the run.
const queue = 65536

// sendTime is how long the end of a run waits for a collector.
const sendTime = 5 * time.Second

// Wanted reports whether the usual variables ask for traces.
func Wanted(getenv func(string) string) bool {
	exporter := getenv("OTEL_TRACES_EXPORTER")
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") || exporter != "" && exporter != "otlp" {
		return false
	}
	return exporter == "otlp" || getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
}

// Run begins the span of a run, below the one that TRACEPARENT names, and returns
// what ends it and sends all spans over OTLP/HTTP. Trouble goes to warn: a trace
// is never worth a run. Where, with which headers and how many of the traces is
// read from OpenTelemetry's variables by its own library.
func Run(ctx context.Context, name, version string, getenv func(string) string, warn func(error)) (context.Context, func(exitCode int)) {
	if err := checkEndpoint(getenv); err != nil {
		warn(fmt.Errorf("no traces: %w", err))
		return ctx, func(int) {}
	}
	client, err := exportClient(getenv)
	if err != nil {
		warn(fmt.Errorf("no traces: %w", err))
		return ctx, func(int) {}
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithHTTPClient(client))
	if err != nil {
		warn(fmt.Errorf("no traces: %w", err))
		return ctx, func(int) {}
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { warn(fmt.Errorf("traces: %w", err)) }))
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "bbsync"), attribute.String("service.version", version)),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		warn(fmt.Errorf("traces: %w", err))
	}
	provider := sdk.NewTracerProvider(sdk.WithResource(about), sdk.WithBatcher(exporter, sdk.WithMaxQueueSize(queue)))
	parent := propagation.MapCarrier{"traceparent": getenv("TRACEPARENT"), "tracestate": getenv("TRACESTATE")}
	ctx = propagation.TraceContext{}.Extract(ctx, parent)
	ctx, span := provider.Tracer(scope).Start(ctx, name, trace.WithTimestamp(time.Now()))
	return ctx, func(exitCode int) {
		span.SetAttributes(attribute.Int("process.exit.code", exitCode))
		span.End()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTime)
		defer cancel()
		if err := provider.Shutdown(last); err != nil {
			warn(fmt.Errorf("traces: %w", err))
		}
	}
}

// checkEndpoint checks the address that the variables name: headers hold a
// credential as a rule. The library's own default is this machine.
func checkEndpoint(getenv func(string) string) error {
	variable := "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	if getenv(variable) == "" {
		variable = "OTEL_EXPORTER_OTLP_ENDPOINT"
	}
	endpoint := getenv(variable)
	if endpoint == "" {
		return nil
	}
	credential := getenv("OTEL_EXPORTER_OTLP_HEADERS") != "" || getenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS") != ""
	if err := names.CheckReceiver(endpoint, credential); err != nil {
		return fmt.Errorf("%s: %w", variable, err)
	}
	return nil
}
