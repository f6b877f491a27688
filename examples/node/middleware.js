// Around every request: its ids, its span, its metrics and its line in the log.
import { SpanKind, context, propagation, trace } from '@opentelemetry/api';
import { CORRELATION_HEADER, correlationId, current, log } from './logs.js';
import { SLOW_REQUEST } from './settings.js';
import * as telemetry from './telemetry.js';

const UNMATCHED = 'unmatched';
const METHODS = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']);

/** The first middleware. Probes and scrapes are served, and not counted as requests. */
export function instrumented(req, res, next) {
  if (req.path === '/metrics' || req.path.startsWith('/health')) return next();
  const start = performance.now();
  const id = correlationId(req.get(CORRELATION_HEADER));
  const request = { correlationId: id, user: req.get('x-user-id'), queries: 0, req };
  const parent = propagation.extract(context.active(), req.headers);
  const span = telemetry.tracer.startSpan(req.method, { kind: SpanKind.SERVER }, parent);
  const within = (action) => context.with(trace.setSpan(parent, span), () => current.run(request, action));
  telemetry.inFlight.inc();
  res.set(CORRELATION_HEADER, id);
  res.once('close', () => within(() => finished(req, res, request, span, (performance.now() - start) / 1000)));
  return within(next);
}

function finished(req, res, request, span, seconds) {
  // The route's template. Paths without a route share one label: else a client could create series.
  const route = req.route ? req.baseUrl + req.route.path : UNMATCHED;
  const method = METHODS.has(req.method) ? req.method : 'other';
  const status = res.writableFinished ? res.statusCode : 499; // The client closed the connection first.
  const labels = { method, route, status_code: String(status) };
  telemetry.inFlight.dec();
  telemetry.requests.inc(labels);
  telemetry.observe(telemetry.duration, labels, seconds);
  telemetry.observe(telemetry.queriesPerRequest, { route }, request.queries);
  span.updateName(`${method} ${route}`);
  span.setAttributes({ 'http.request.method': method, 'http.route': route, 'http.response.status_code': status });
  span.end();
  const slow = seconds > SLOW_REQUEST;
  const level = status >= 500 ? 'error' : slow ? 'warn' : 'info';
  const fields = { method, route, path: req.path, status_code: status, db_queries: request.queries };
  log[level]({ ...fields, duration_ms: Math.round(seconds * 1e4) / 10 }, slow ? 'slow request' : 'request');
}
