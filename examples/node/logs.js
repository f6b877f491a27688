// Logs: one JSON object a line on standard output, each with the ids of its request; fingerprints of errors.
import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash, randomBytes } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { trace } from '@opentelemetry/api';
import pino from 'pino';
import { report } from './reports.js';
import { NAME } from './settings.js';

export const CORRELATION_HEADER = 'x-correlation-id';
const VALID = /^[A-Za-z0-9._-]{1,128}$/;
const OWN = dirname(fileURLToPath(import.meta.url));

/** The request that is served: { correlationId, user, queries, req }. */
export const current = new AsyncLocalStorage();

/** The caller's id, or a new one where there is none or it is not one. */
export function correlationId(given) {
  return VALID.test(given ?? '') ? given : randomBytes(16).toString('hex');
}

/** The ids of the request and of its span. */
function ids() {
  const request = current.getStore();
  const span = trace.getActiveSpan()?.spanContext();
  return {
    ...(request && { correlation_id: request.correlationId, user: request.user }),
    ...(span && { trace_id: span.traceId, span_id: span.spanId }),
  };
}

export const log = pino({
  level: process.env.LOG_LEVEL ?? 'info',
  base: { service: NAME },
  messageKey: 'message',
  timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
  formatters: {
    level: (label) => ({ level: label }),
    log: ({ err, ...fields }) => (err ? { ...fields, ...about(err) } : fields),
  },
  mixin: ids,
  hooks: {
    // A logged error with its exception is reported too.
    logMethod(args, method, level) {
      if (level >= pino.levels.values.error && args[0]?.err) report(args[0].err, current.getStore()?.req);
      return method.apply(this, args);
    },
  },
});

/** The type of an error: its class, and its code where it has one, such as PostgreSQL's. */
export function typeOf(error) {
  const code = /^[A-Z0-9_]{2,40}$/.test(error?.code ?? '') ? `_${error.code}` : '';
  return `${error?.constructor?.name ?? 'Error'}${code}`;
}

/** The same for errors of one type from one place: neither message, line numbers nor libraries count. */
export function fingerprint(error) {
  const places = [];
  for (const line of (error?.stack ?? '').split('\n')) {
    const at = /^\s+at (?:async )?(?:(\S+) \()?(?:file:\/\/)?(\/[^():]+):\d+:\d+\)?$/.exec(line);
    if (at && dirname(at[2]) === OWN) places.push(`${basename(at[2])}:${at[1] ?? ''}`);
  }
  return createHash('sha256').update([typeOf(error), ...places].join('\n')).digest('hex').slice(0, 16);
}

/** The fields of a line about an error, which is logged as `err`. */
function about(error) {
  return { error: `${typeOf(error)}: ${error?.message}`, fingerprint: fingerprint(error), stack: error?.stack };
}
