package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

var (
	httpBuckets     = []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 2.5, 5, 10, 30}
	databaseBuckets = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}
)

// Default metrics of the process and the runtime come with the library's default registry.
var (
	requests = counter("http_requests_total", "Requests answered.", "method", "route", "status_code")
	duration = histogram("http_request_duration_seconds", "Time to answer a request.", httpBuckets,
		"method", "route", "status_code")
	inFlight = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "http_requests_in_flight", Help: "Requests that are being served."})
	queriesPerRequest = histogram("http_request_db_queries", "Database queries of a request.",
		[]float64{0, 1, 2, 5, 10, 20, 50, 100}, "route")
	queries       = counter("db_queries_total", "Database queries by outcome.", "operation", "table", "status")
	queryDuration = histogram("db_query_duration_seconds", "Time a database query took.", databaseBuckets,
		"operation", "table")
	errorTypes   = counter("errors_total", "Errors of the service by type.", "type")
	calls        = counter("external_api_calls_total", "Calls of other services by outcome.", "api", "status")
	callDuration = histogram("external_api_duration_seconds", "Time a call of another service took.", httpBuckets, "api")
	operations   = histogram("operation_duration_seconds", "Time an operation took.", httpBuckets, "operation")
	slow         = counter("slow_operations_total", "Operations that took too long.", "operation")
	orders       = promauto.NewCounter(prometheus.CounterOpts{Name: "orders_created_total", Help: "Orders placed."})
)

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return promauto.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return promauto.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
}

// At 0 before their first event: a rate would miss that event otherwise, and a vector without series is not exposed.
func init() {
	errorTypes.WithLabelValues("panic")
	slow.WithLabelValues("report")
	callDuration.WithLabelValues("upstream")
	for _, status := range []string{"success", "error"} {
		calls.WithLabelValues("upstream", status)
	}
}

// watchPool exposes a pool's connections.
func watchPool(pool *pgxpool.Pool) {
	gauge := func(name, help string, value func() int32) {
		promauto.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(value()) })
	}
	gauge("db_connection_pool_size", "Connections that the pool may have.", func() int32 { return pool.Stat().MaxConns() })
	gauge("db_connection_pool_used", "Connections of the pool in use.", func() int32 { return pool.Stat().AcquiredConns() })
}

var tracer trace.Tracer

// startTracing returns what sends the spans that wait, at the end of the process.
func startTracing(ctx context.Context) (func(context.Context) error, error) {
	options := []sdk.TracerProviderOption{
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", settings.name))),
	}
	if settings.traces != "" {
		exporter, err := otlptracehttp.New(ctx)
		if err != nil {
			return nil, err
		}
		options = append(options, sdk.WithBatcher(exporter))
	}
	provider := sdk.NewTracerProvider(options...)
	otel.SetTracerProvider(provider)
	otel.SetTextMapPropagator(propagation.TraceContext{})
	tracer = otel.Tracer(settings.name)
	return provider.Shutdown, nil
}

// observe adds a value to a histogram, with the trace of what is measured.
func observe(ctx context.Context, to prometheus.Observer, value float64) {
	span := trace.SpanContextFromContext(ctx)
	with, ok := to.(prometheus.ExemplarObserver)
	if !ok || !span.IsSampled() {
		to.Observe(value)
		return
	}
	with.ObserveWithExemplar(value, prometheus.Labels{"trace_id": span.TraceID().String()})
}

// measured does something in a span of its own; done gets its outcome and how long it took.
func measured(ctx context.Context, name string, kind trace.SpanKind, attributes []attribute.KeyValue,
	action func(context.Context) error, done func(context.Context, string, time.Duration)) error {
	ctx, span := tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(attributes...))
	defer span.End()
	start := time.Now()
	err := action(ctx)
	status := "success"
	if err != nil {
		status = "error"
		span.SetStatus(codes.Error, typeOf(err))
	}
	done(ctx, status, time.Since(start))
	return err
}

// query measures a database query.
func query(ctx context.Context, operation, table string, action func(context.Context) error) error {
	current(ctx).queries.Add(1)
	attributes := []attribute.KeyValue{attribute.String("db.system.name", "postgresql"),
		attribute.String("db.operation.name", operation), attribute.String("db.collection.name", table)}
	return measured(ctx, operation+" "+table, trace.SpanKindClient, attributes, action,
		func(ctx context.Context, status string, took time.Duration) {
			queries.WithLabelValues(operation, table, status).Inc()
			observe(ctx, queryDuration.WithLabelValues(operation, table), took.Seconds())
		})
}

// call measures a call of another service.
func call(ctx context.Context, api, method string, action func(context.Context) error) error {
	attributes := []attribute.KeyValue{attribute.String("peer.service", api)}
	return measured(ctx, method+" "+api, trace.SpanKindClient, attributes, action,
		func(ctx context.Context, status string, took time.Duration) {
			calls.WithLabelValues(api, status).Inc()
			observe(ctx, callDuration.WithLabelValues(api), took.Seconds())
		})
}

// operation measures an operation of the service; one that takes too long is counted, logged and marked in its span.
func operation(ctx context.Context, name string, action func(context.Context) error) error {
	return measured(ctx, name, trace.SpanKindInternal, nil, action,
		func(ctx context.Context, _ string, took time.Duration) {
			observe(ctx, operations.WithLabelValues(name), took.Seconds())
			if took > settings.slowOperation {
				slow.WithLabelValues(name).Inc()
				trace.SpanFromContext(ctx).SetAttributes(attribute.Bool("slow", true))
				slog.WarnContext(ctx, "slow operation", "operation", name, "duration_ms", took.Milliseconds())
			}
		})
}

// failed counts an error of the service, marks the span, and logs it with its fingerprint.
func failed(ctx context.Context, err error) {
	errorTypes.WithLabelValues(typeOf(err)).Inc()
	span := trace.SpanFromContext(ctx)
	span.RecordError(err)
	span.SetStatus(codes.Error, typeOf(err))
	slog.ErrorContext(ctx, "request failed", about(err)...)
}
