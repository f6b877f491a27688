package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

const unmatched = "unmatched"

var methods = map[string]bool{"GET": true, "POST": true, "PUT": true, "PATCH": true, "DELETE": true, "HEAD": true,
	"OPTIONS": true}

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach what is wrapped.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// instrumented is around every request: its ids, its span, its metrics and its line in the log. Probes and scrapes are
// served, and not counted as requests.
func instrumented(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics" || strings.HasPrefix(r.URL.Path, "/health") {
			next.ServeHTTP(w, r)
			return
		}
		start := time.Now()
		about := &request{correlationID: correlationID(r.Header.Get(correlationHeader)), user: r.Header.Get("X-User-ID")}
		ctx := otel.GetTextMapPropagator().Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, span := tracer.Start(ctx, r.Method, trace.WithSpanKind(trace.SpanKindServer))
		defer span.End()
		r = r.WithContext(context.WithValue(ctx, requestKey{}, about))
		inFlight.Inc()
		defer inFlight.Dec()
		w.Header().Set(correlationHeader, about.correlationID)
		answer := &recorder{w, http.StatusOK}
		serve(next, answer, r)
		finished(r, answer.status, about, span, time.Since(start))
	})
}

// serve turns a panic into an answer of 500; without it the connection just ends.
func serve(next http.Handler, w http.ResponseWriter, r *http.Request) {
	defer func() {
		if cause := recover(); cause != nil {
			failed(r.Context(), placed{panicked{cause}, functions(1)})
			writeError(w, r, http.StatusInternalServerError, "something went wrong")
		}
	}()
	next.ServeHTTP(w, r)
}

func finished(r *http.Request, status int, about *request, span trace.Span, took time.Duration) {
	// The route's template. Paths without a route share one label: else a client could create series.
	route := unmatched
	if _, path, found := strings.Cut(r.Pattern, " "); found {
		route = path
	}
	method := r.Method
	if !methods[method] {
		method = "other"
	}
	ctx, code, count := r.Context(), strconv.Itoa(status), about.queries.Load()
	requests.WithLabelValues(method, route, code).Inc()
	observe(ctx, duration.WithLabelValues(method, route, code), took.Seconds())
	observe(ctx, queriesPerRequest.WithLabelValues(route), float64(count))
	span.SetName(method + " " + route)
	span.SetAttributes(attribute.String("http.request.method", method), attribute.String("http.route", route),
		attribute.Int("http.response.status_code", status))
	message, level := "request", slog.LevelInfo
	if took > settings.slowRequest {
		message, level = "slow request", slog.LevelWarn
	}
	if status >= 500 {
		level = slog.LevelError
	}
	slog.Log(ctx, level, message, "method", method, "route", route, "path", r.URL.Path, "status_code", status,
		"duration_ms", float64(took.Microseconds())/1000, "db_queries", count)
}

// refusal is an error that is the client's, with its status.
type refusal struct {
	status int
	text   string
}

func (r refusal) Error() string { return r.text }

// handler answers with a document, or with an error; one that is no refusal is the service's.
func handler(action func(*http.Request) (int, any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		status, document, err := action(r)
		var refused refusal
		switch {
		case errors.As(err, &refused):
			writeError(w, r, refused.status, refused.text)
		case err != nil:
			failed(r.Context(), err)
			writeError(w, r, http.StatusInternalServerError, "something went wrong")
		default:
			writeJSON(w, status, document)
		}
	}
}

func writeError(w http.ResponseWriter, r *http.Request, status int, text string) {
	writeJSON(w, status, map[string]string{"error": text, "correlation_id": current(r.Context()).correlationID})
}
