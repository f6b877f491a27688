// What the environment variables say.
const env = process.env;

export const NAME = env.OTEL_SERVICE_NAME ?? 'orders-node';
export const ENVIRONMENT = env.ENVIRONMENT ?? 'dev';
export const PORT = Number(env.PORT ?? 3000);
export const DATABASE_URL = env.DATABASE_URL ?? 'postgresql://localhost/orders';
/** The next warehouse, which is asked for its stock too; empty: there is none. */
export const UPSTREAM_URL = env.UPSTREAM_URL ?? '';
/** Where spans are sent by OTLP over HTTP; empty: nowhere. */
export const TRACES = env.OTEL_EXPORTER_OTLP_ENDPOINT ?? '';
export const SENTRY_DSN = env.SENTRY_DSN ?? '';
export const SLOW_REQUEST = Number(env.SLOW_REQUEST_SECONDS ?? 2);
export const SLOW_OPERATION = Number(env.SLOW_OPERATION_SECONDS ?? 1);
