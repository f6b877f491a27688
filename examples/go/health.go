package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

// dependency is one of the service's; ping returns an error where it does not respond. Without one that is not
// required, requests succeed.
type dependency struct {
	name     string
	required bool
	ping     func(context.Context) error
}

// health answers /health, /health/ready and /health/live.
type health struct {
	dependencies []dependency
	started      time.Time
	stopping     atomic.Bool
}

type state struct {
	Status       string  `json:"status"`
	Required     bool    `json:"required"`
	Reason       string  `json:"reason,omitempty"`
	Milliseconds float64 `json:"milliseconds"`
}

type healthPage struct {
	Status       string           `json:"status"`
	Timestamp    string           `json:"timestamp"`
	Uptime       float64          `json:"uptime_seconds,omitempty"`
	Dependencies map[string]state `json:"dependencies,omitempty"`
}

// live is 200: a dependency that is down is no reason to restart the process.
func (h *health) live(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, healthPage{Status: "alive", Timestamp: now()})
}

// ready says whether requests should be sent here.
func (h *health) ready(w http.ResponseWriter, r *http.Request) {
	states, down, _ := h.states(r.Context(), true)
	page := healthPage{Status: "ready", Timestamp: now(), Dependencies: states}
	status := http.StatusOK
	if h.stopping.Load() {
		page.Status, status = "stopping", http.StatusServiceUnavailable
	} else if down {
		page.Status, status = "not ready", http.StatusServiceUnavailable
	}
	writeJSON(w, status, page)
}

// full says everything. Degraded is no failure: what is required works.
func (h *health) full(w http.ResponseWriter, r *http.Request) {
	states, down, degraded := h.states(r.Context(), false)
	page := healthPage{Status: "ok", Timestamp: now(), Uptime: time.Since(h.started).Seconds(), Dependencies: states}
	status := http.StatusOK
	if down {
		page.Status, status = "down", http.StatusServiceUnavailable
	} else if degraded {
		page.Status = "degraded"
	}
	writeJSON(w, status, page)
}

// states returns that of each dependency, whether one that is required is down, and whether another one is.
func (h *health) states(ctx context.Context, requiredOnly bool) (map[string]state, bool, bool) {
	states, down, degraded := map[string]state{}, false, false
	for _, one := range h.dependencies {
		if requiredOnly && !one.required {
			continue
		}
		start := time.Now()
		within, cancel := context.WithTimeout(ctx, 2*time.Second)
		err := one.ping(within)
		cancel()
		found := state{Status: "up", Required: one.required, Milliseconds: float64(time.Since(start).Microseconds()) / 1000}
		if err != nil {
			found.Status, found.Reason = "down", typeOf(err)
			down, degraded = down || one.required, degraded || !one.required
		}
		states[one.name] = found
	}
	return states, down, degraded
}

func now() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z07:00") }

func writeJSON(w http.ResponseWriter, status int, document any) {
	body, err := json.Marshal(document)
	if err != nil {
		panic(fmt.Errorf("writing an answer: %w", err))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body)
}
