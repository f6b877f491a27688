// Errors of the page to Sentry, where a DSN is set: what is sampled, left out and scrubbed is in sentry.json.
import * as Sentry from '@sentry/browser';

const FILTERED = '[Filtered]';
const settings = await (await fetch('sentry.json')).json();
const leftOut = new Set(Object.values(settings.leftOut).flat());
const headers = new Set(settings.scrubbed.headers);

const secret = (key) => {
  const lower = String(key).toLowerCase().split('.').at(-1); // Of an attribute such as http.request.header.cookie.
  return headers.has(lower) || settings.scrubbed.keys.some((one) => lower === one || lower.endsWith(`_${one}`));
};

/** The parameters without those that are secret by their name. */
function parameters(text) {
  const pairs = [...new URLSearchParams(text)].map(([key, value]) => [key, secret(key) ? FILTERED : value]);
  return new URLSearchParams(pairs).toString();
}

/** The address without secrets in its query or its fragment. */
function address(text) {
  return text.replace(/([?#])([^?#\s]*=[^?#\s]*)/g, (_, mark, found) => mark + parameters(found));
}

/** The value without what is secret by its key, in objects, lists, addresses and queries. */
export function scrubbed(value, key = '', seen = new Set()) {
  if (secret(key)) return FILTERED;
  if (typeof value === 'string') return /(^|\.)query(_string)?$/.test(key) ? parameters(value) : address(value);
  if (value === null || typeof value !== 'object' || seen.has(value)) return value;
  const within = new Set([...seen, value]);
  if (Array.isArray(value)) return value.map((one) => scrubbed(one, '', within));
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, scrubbed(one, name, within)]));
}

/** The event; null for what is not reported. */
function beforeSend(event, hint) {
  for (let error = hint?.originalException; error; error = error.cause) {
    if (leftOut.has(error.name) || leftOut.has(error.constructor?.name) || error.status === 404) return null;
    // How browsers say that a request did not arrive.
    if (error instanceof TypeError && /fetch|network|load failed/i.test(error.message)) return null;
  }
  // A line of the console is reported with an exception alone.
  return event.logger === 'console' && !(hint?.originalException instanceof Error) ? null : event;
}

/** Begin to report: `dsn`, `environment`, `release`, and the id of the `user` who is signed in. */
export function start({ dsn, environment, release, user }) {
  if (!dsn) return;
  const rate = (name) => settings[name][environment] ?? settings[name].others;
  // The recording of a replay has the page's address as it is. Read what is secret in it before this.
  history.replaceState(history.state, '', address(location.href));
  Sentry.init({
    dsn,
    environment,
    release,
    tracesSampleRate: rate('tracesSampleRate'),
    // Profiles need the header `Document-Policy: js-profiling` with the page.
    profileSessionSampleRate: rate('profilesSampleRate'),
    profileLifecycle: 'trace',
    replaysSessionSampleRate: rate('replaysSessionSampleRate'),
    replaysOnErrorSampleRate: rate('replaysOnErrorSampleRate'),
    // Whole transactions, which event processors see.
    traceLifecycle: 'static',
    normalizeDepth: 6, // Of a body and a context.
    // The trace continues in the services of this page's origin.
    tracePropagationTargets: [location.origin],
    dataCollection: { userInfo: false, cookies: false, httpBodies: [] },
    integrations: [
      Sentry.browserTracingIntegration(),
      Sentry.browserProfilingIntegration(),
      Sentry.replayIntegration({
        maskAllText: true,
        maskAllInputs: true,
        blockAllMedia: true,
        beforeAddRecordingEvent: (event) => scrubbed(event),
      }),
      Sentry.captureConsoleIntegration({ levels: ['error'] }),
    ],
    beforeSend,
    beforeBreadcrumb: (crumb) => scrubbed(crumb),
  });
  // Of every kind: errors, transactions and replays.
  Sentry.addEventProcessor((event) => scrubbed(event));
  if (user) Sentry.setUser({ id: user });
}

/** Report an error; by hand also with context, and with the request that it is about. */
export function report(error, context = undefined, request = undefined) {
  Sentry.captureException(error, { contexts: { ...(request && { request }), ...(context && { context }) } });
}

/** Ask a service. An answer of 500 and above is reported, no other is; without an answer it throws. */
export async function ask(method, path, body = undefined) {
  const options = { method, headers: { 'Content-Type': 'application/json' }, body: body && JSON.stringify(body) };
  const response = await fetch(path, options);
  if (response.status >= 500) {
    const url = new URL(path, location.origin);
    const error = new Error(`${method} ${url.pathname} was answered with ${response.status}`);
    error.name = 'ServerError';
    const query = Object.fromEntries(url.searchParams);
    report(error, undefined, { method, url: url.origin + url.pathname, query, body });
  }
  return response;
}

/** Send what waits. */
export const flush = () => Sentry.flush(2000);
