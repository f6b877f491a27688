// Errors to Sentry, where SENTRY_DSN is set: what is sampled, left out and scrubbed is in sentry.json.
import { readFileSync } from 'node:fs';
import * as Sentry from '@sentry/node';
import { ENVIRONMENT, SENTRY_DSN } from './settings.js';

const settings = JSON.parse(readFileSync(new URL('../sentry.json', import.meta.url), 'utf8'));
const leftOut = new Set(Object.values(settings.leftOut).flat());
const headers = new Set(settings.scrubbed.headers);
const FILTERED = '[Filtered]';

/** A sample rate in this environment. */
const rate = (name) => settings[name][ENVIRONMENT] ?? settings[name].others;

const secret = (key) => {
  const lower = String(key).toLowerCase().split('.').at(-1); // Of an attribute such as http.request.header.cookie.
  return headers.has(lower) || settings.scrubbed.keys.some((one) => lower === one || lower.endsWith(`_${one}`));
};

function query(text) {
  const pairs = [...new URLSearchParams(text)].map(([key, value]) => [key, secret(key) ? FILTERED : value]);
  return new URLSearchParams(pairs).toString();
}

/** The value without what is secret by its key, in objects, lists, addresses and queries. */
export function scrubbed(value, key = '', seen = new Set()) {
  if (secret(key)) return FILTERED;
  if (typeof value === 'string') {
    if (key === 'query_string' || key === 'http.query' || key === 'url.query') return query(value.replace(/^\?/, ''));
    const at = value.indexOf('?');
    return at >= 0 && /url|^to$|^from$|target/.test(key) ? `${value.slice(0, at)}?${query(value.slice(at + 1))}` : value;
  }
  if (value === null || typeof value !== 'object' || seen.has(value)) return value;
  const within = new Set([...seen, value]);
  if (Array.isArray(value)) return value.map((one) => scrubbed(one, '', within));
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, scrubbed(one, name, within)]));
}

/** The event without secrets; null for what is not reported. */
export function beforeSend(event, hint) {
  for (let error = hint?.originalException; error; error = error.cause) {
    if (leftOut.has(error.name) || leftOut.has(error.constructor?.name) || error.status === 404) return null;
  }
  return scrubbed(event);
}

if (SENTRY_DSN) {
  const { nodeProfilingIntegration } = await import('@sentry/profiling-node');
  Sentry.init({
    dsn: SENTRY_DSN,
    environment: ENVIRONMENT,
    tracesSampleRate: rate('tracesSampleRate'),
    profileSessionSampleRate: rate('profilesSampleRate'),
    profileLifecycle: 'trace',
    includeLocalVariables: false,
    // Whole transactions, which beforeSendTransaction sees; spans that are streamed pass it by.
    traceLifecycle: 'static',
    // The body and the user are added by `report`, scrubbed; by itself the SDK sends bodies and addresses as they are.
    dataCollection: {
      userInfo: false,
      cookies: false,
      httpBodies: [],
      httpHeaders: { request: { deny: settings.scrubbed.headers }, response: { deny: settings.scrubbed.headers } },
      urlQueryParams: { deny: settings.scrubbed.keys },
    },
    integrations: [nodeProfilingIntegration()],
    beforeSend,
    beforeSendTransaction: (event) => scrubbed(event),
    beforeBreadcrumb: (crumb) => scrubbed(crumb),
  });
}

/** Report an error, with the request that it ended, if any; by hand also with context. */
export function report(error, req = undefined, context = undefined) {
  const user = req?.get('x-user-id');
  Sentry.captureException(error, {
    ...(user && { user: { id: user } }),
    contexts: {
      ...(req && { request: { method: req.method, url: req.path, query: { ...req.query }, body: req.body } }),
      ...(context && { context }),
    },
  });
}

/** Send what waits; at the end of the process. */
export const flush = () => Sentry.flush(2000);
