// Metrics and spans.
import v8 from 'node:v8';
import { SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import client from 'prom-client';
import { current, log, typeOf } from './logs.js';
import { NAME, SLOW_OPERATION, TRACES } from './settings.js';

const HTTP_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 2.5, 5, 10, 30];
const DATABASE_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

// Exemplars are in OpenMetrics alone; this library has one format for all scrapers.
export const register = client.register;
register.setContentType(client.Registry.OPENMETRICS_CONTENT_TYPE);
client.collectDefaultMetrics();

const counter = (name, help, ...labelNames) => new client.Counter({ name, help, labelNames });
const histogram = (name, help, buckets, ...labelNames) =>
  new client.Histogram({ name, help, buckets, labelNames, enableExemplars: true });

export const requests = counter('http_requests_total', 'Requests answered.', 'method', 'route', 'status_code');
export const duration = histogram(
  'http_request_duration_seconds', 'Time to answer a request.', HTTP_BUCKETS, 'method', 'route', 'status_code',
);
export const inFlight = new client.Gauge({ name: 'http_requests_in_flight', help: 'Requests that are being served.' });
export const queriesPerRequest = histogram(
  'http_request_db_queries', 'Database queries of a request.', [0, 1, 2, 5, 10, 20, 50, 100], 'route',
);
const queries = counter('db_queries_total', 'Database queries by outcome.', 'operation', 'table', 'status');
const queryDuration = histogram(
  'db_query_duration_seconds', 'Time a database query took.', DATABASE_BUCKETS, 'operation', 'table',
);
const errors = counter('errors_total', 'Errors of the service by type.', 'type');
const calls = counter('external_api_calls_total', 'Calls of other services by outcome.', 'api', 'status');
const callDuration = histogram(
  'external_api_duration_seconds', 'Time a call of another service took.', HTTP_BUCKETS, 'api',
);
const operationDuration = histogram('operation_duration_seconds', 'Time an operation took.', HTTP_BUCKETS, 'operation');
const slowOperations = counter('slow_operations_total', 'Operations that took too long.', 'operation');
export const orders = counter('orders_created_total', 'Orders placed.');

// At 0 before their first event: a rate would miss that event otherwise.
slowOperations.inc({ operation: 'report' }, 0);
for (const status of ['success', 'error']) calls.inc({ api: 'upstream', status }, 0);

// Not among the default metrics: without it nobody can tell how near the heap is to its end.
new client.Gauge({
  name: 'nodejs_heap_size_limit_bytes',
  help: 'Size of the heap at which V8 ends the process.',
  collect() {
    this.set(v8.getHeapStatistics().heap_size_limit);
  },
});

/** The gauges of a pool of pg. */
export function watchPool(pool) {
  const gauge = (name, help, value) =>
    new client.Gauge({ name, help, collect() { this.set(value()); } });
  gauge('db_connection_pool_size', 'Connections that the pool may have.', () => pool.options.max);
  gauge('db_connection_pool_used', 'Connections of the pool in use.', () => pool.totalCount - pool.idleCount);
}

const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': NAME }),
  spanProcessors: TRACES ? [new BatchSpanProcessor(new OTLPTraceExporter())] : [],
});
provider.register(); // With W3C trace context as the propagator.
export const tracer = trace.getTracer(NAME);

/** Send the spans that wait; at the end of the process. */
export const flush = () => provider.shutdown();

/** Observe a value, with the trace of what is measured. */
export function observe(metric, labels, value) {
  const span = trace.getActiveSpan()?.spanContext();
  const sampled = span && span.traceFlags & TraceFlags.SAMPLED;
  metric.observe({ labels, value, ...(sampled && { exemplarLabels: { trace_id: span.traceId } }) });
}

/** Do something in a span of its own; `done` gets its outcome and how long it took. */
async function measured(name, options, action, done) {
  return tracer.startActiveSpan(name, options, async (span) => {
    const start = performance.now();
    let status = 'error';
    try {
      const result = await action();
      status = 'success';
      return result;
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: typeOf(error) });
      throw error;
    } finally {
      done(status, (performance.now() - start) / 1000, span);
      span.end();
    }
  });
}

/** Measure a database query. */
export function query(operation, table, action) {
  const attributes = { 'db.system.name': 'postgresql', 'db.operation.name': operation, 'db.collection.name': table };
  const request = current.getStore();
  if (request) request.queries += 1;
  return measured(`${operation} ${table}`, { kind: SpanKind.CLIENT, attributes }, action, (status, seconds) => {
    queries.inc({ operation, table, status });
    observe(queryDuration, { operation, table }, seconds);
  });
}

/** Measure a call of another service. */
export function call(api, method, action) {
  const options = { kind: SpanKind.CLIENT, attributes: { 'peer.service': api } };
  return measured(`${method} ${api}`, options, action, (status, seconds) => {
    calls.inc({ api, status });
    observe(callDuration, { api }, seconds);
  });
}

/** Measure an operation of the service; one that takes too long is counted, logged and marked in its span. */
export function operation(name, action) {
  return measured(name, {}, action, (_, seconds, span) => {
    observe(operationDuration, { operation: name }, seconds);
    if (seconds > SLOW_OPERATION) {
      slowOperations.inc({ operation: name });
      span.setAttribute('slow', true);
      log.warn({ operation: name, duration_ms: Math.round(seconds * 1000) }, 'slow operation');
    }
  });
}

/** Count an error of the service, mark the span, and log it with its fingerprint, which also reports it. */
export function failed(error) {
  errors.inc({ type: typeOf(error) });
  const span = trace.getActiveSpan();
  span?.recordException(error);
  span?.setStatus({ code: SpanStatusCode.ERROR, message: typeOf(error) });
  log.error({ err: error }, 'request failed');
}
