package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func main() {
	slog.SetDefault(newLog())
	if err := run(); err != nil {
		slog.Error("the service ended", about(at(err))...)
		os.Exit(1)
	}
}

// run serves until SIGTERM: then it accepts no connection any more, finishes the requests under way and ends.
func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	flush, err := startTracing(ctx)
	if err != nil {
		return err
	}
	s, err := newStore(context.Background())
	if err != nil {
		return err
	}
	h := &health{started: time.Now(), dependencies: []dependency{{"database", true, s.pingDatabase}}}
	if settings.upstream != "" {
		h.dependencies = append(h.dependencies, dependency{"upstream", false, s.pingUpstream})
	}
	server := &http.Server{Addr: ":" + settings.port, Handler: instrumented(routes(s, h)),
		ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	slog.Info("listening", "port", settings.port)
	select {
	case err = <-failed:
		return err
	case <-ctx.Done():
	}
	h.stopping.Store(true)
	err = server.Shutdown(context.Background())
	s.pool.Close()
	within, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err = errors.Join(err, flush(within))
	slog.Info("stopped")
	return err
}

func routes(s *store, h *health) http.Handler {
	mux := http.NewServeMux()
	// Exemplars are in OpenMetrics alone.
	mux.Handle("GET /metrics", promhttp.HandlerFor(prometheus.DefaultGatherer,
		promhttp.HandlerOpts{EnableOpenMetrics: true}))
	mux.HandleFunc("GET /health", h.full)
	mux.HandleFunc("GET /health/live", h.live)
	mux.HandleFunc("GET /health/ready", h.ready)

	// What is here of an article, and what the next warehouse has; that one may be down.
	mux.HandleFunc("GET /stock/{sku}", handler(func(r *http.Request) (int, any, error) {
		here, err := s.stock(r.Context(), r.PathValue("sku"))
		if err != nil {
			return 0, nil, err
		}
		var elsewhere json.RawMessage
		if settings.upstream != "" {
			if elsewhere, err = s.stockElsewhere(r.Context(), here.SKU); err != nil {
				slog.WarnContext(r.Context(), "the next warehouse does not answer", "error", err.Error())
				elsewhere = nil
			}
		}
		return http.StatusOK, struct {
			item
			Elsewhere json.RawMessage `json:"elsewhere"`
		}{here, elsewhere}, nil
	}))

	mux.HandleFunc("POST /orders", handler(func(r *http.Request) (int, any, error) {
		var asked item
		err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 65536)).Decode(&asked)
		if err != nil || asked.SKU == "" || asked.Quantity <= 0 {
			return 0, nil, refusal{http.StatusBadRequest, "sku must be a text, quantity a number above 0"}
		}
		id, err := s.place(r.Context(), asked)
		if err == nil {
			orders.Inc()
		}
		return http.StatusCreated, map[string]int{"id": id}, err
	}))

	mux.HandleFunc("GET /orders/{number}", handler(func(r *http.Request) (int, any, error) {
		number, err := strconv.ParseInt(r.PathValue("number"), 10, 32)
		if err != nil {
			return 0, nil, refusal{http.StatusBadRequest, "number must be a number"}
		}
		found, err := s.order(r.Context(), int(number))
		return http.StatusOK, found, err
	}))

	mux.HandleFunc("GET /report", handler(func(r *http.Request) (int, any, error) {
		found, err := s.report(r.Context())
		return http.StatusOK, found, err
	}))
	return mux
}
