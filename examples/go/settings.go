// A small service, instrumented as a service should be.
package main

import (
	"os"
	"strconv"
	"time"
)

// What the environment variables say.
var settings = struct {
	name, environment, port, database string
	upstream                          string // The next warehouse, which is asked for its stock too; empty: none.
	traces                            string // Where spans are sent by OTLP over HTTP; empty: nowhere.
	slowRequest, slowOperation        time.Duration
}{
	name:          env("OTEL_SERVICE_NAME", "orders-go"),
	environment:   env("ENVIRONMENT", "dev"),
	port:          env("PORT", "8080"),
	database:      env("DATABASE_URL", "postgresql://localhost/orders"),
	upstream:      env("UPSTREAM_URL", ""),
	traces:        env("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
	slowRequest:   seconds("SLOW_REQUEST_SECONDS", 2),
	slowOperation: seconds("SLOW_OPERATION_SECONDS", 1),
}

func env(name, otherwise string) string {
	if value, ok := os.LookupEnv(name); ok {
		return value
	}
	return otherwise
}

func seconds(name string, otherwise float64) time.Duration {
	value, err := strconv.ParseFloat(os.Getenv(name), 64)
	if err != nil {
		value = otherwise
	}
	return time.Duration(value * float64(time.Second))
}
