package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"go.opentelemetry.io/otel/trace"
)

const correlationHeader = "X-Correlation-ID"

var validID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)

// request is what is known of the request that is served.
type request struct {
	correlationID, user string
	queries             atomic.Int64
}

type requestKey struct{}

// current returns the request of a context; an empty one outside of requests.
func current(ctx context.Context) *request {
	if found, ok := ctx.Value(requestKey{}).(*request); ok {
		return found
	}
	return &request{}
}

// correlationID returns the caller's id, or a new one where there is none or it is not one.
func correlationID(given string) string {
	if validID.MatchString(given) {
		return given
	}
	made := make([]byte, 16)
	rand.Read(made)
	return hex.EncodeToString(made)
}

// withIDs adds the ids of the request and of its span to every line.
type withIDs struct{ slog.Handler }

func (h withIDs) Handle(ctx context.Context, record slog.Record) error {
	if found := current(ctx); found.correlationID != "" {
		record.AddAttrs(slog.String("correlation_id", found.correlationID))
		if found.user != "" {
			record.AddAttrs(slog.String("user", found.user))
		}
	}
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		record.AddAttrs(slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
	}
	return h.Handler.Handle(ctx, record)
}

func (h withIDs) WithAttrs(attrs []slog.Attr) slog.Handler {
	return withIDs{h.Handler.WithAttrs(attrs)}
}
func (h withIDs) WithGroup(name string) slog.Handler { return withIDs{h.Handler.WithGroup(name)} }

// newLog writes one JSON object a line on standard output.
func newLog() *slog.Logger {
	form := func(_ []string, attr slog.Attr) slog.Attr {
		switch attr.Key {
		case slog.TimeKey:
			return slog.String("timestamp", attr.Value.Time().UTC().Format(time.RFC3339Nano))
		case slog.LevelKey:
			return slog.String("level", strings.ToLower(attr.Value.String()))
		case slog.MessageKey:
			return slog.Attr{Key: "message", Value: attr.Value}
		}
		return attr
	}
	handler := slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: form})
	return slog.New(withIDs{handler}).With("service", settings.name)
}

// placed is an error with the functions that were under way; Go's errors have none of their own.
type placed struct {
	error
	functions []string
}

func (p placed) Unwrap() error { return p.error }

// at records where an error happened.
func at(err error) error {
	if err == nil || errors.As(err, &placed{}) {
		return err
	}
	return placed{err, functions(2)}
}

// functions are those of this program that are under way, the innermost first.
func functions(skip int) []string {
	counters := make([]uintptr, 64)
	frames := runtime.CallersFrames(counters[:runtime.Callers(skip+1, counters)])
	var found []string
	for {
		frame, more := frames.Next()
		if name, own := strings.CutPrefix(frame.Function, "main."); own {
			found = append(found, name)
		}
		if !more {
			return found
		}
	}
}

// panicked is the cause of a panic.
type panicked struct{ cause any }

func (p panicked) Error() string { return fmt.Sprintf("panic: %v", p.cause) }

// typeOf is the type of an error: that of the innermost, with PostgreSQL's code.
func typeOf(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return "PgError_" + refused.Code
	}
	if errors.As(err, &panicked{}) {
		return "panic"
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", err), "*")
}

// fingerprint is the same for errors of one type from one place: neither message nor line numbers count.
func fingerprint(err error) string {
	var where placed
	errors.As(err, &where)
	sum := sha256.Sum256([]byte(typeOf(err) + "\n" + strings.Join(where.functions, "\n")))
	return hex.EncodeToString(sum[:])[:16]
}

// about returns the fields of a line about an error.
func about(err error) []any {
	var where placed
	errors.As(err, &where)
	return []any{
		slog.String("error", typeOf(err)+": "+err.Error()),
		slog.String("fingerprint", fingerprint(err)),
		slog.String("stack", strings.Join(where.functions, "\n")),
	}
}
