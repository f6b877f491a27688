// The database, and the next warehouse.
import { context, propagation } from '@opentelemetry/api';
import pg from 'pg';
import { CORRELATION_HEADER, current, log } from './logs.js';
import { DATABASE_URL, UPSTREAM_URL } from './settings.js';
import * as telemetry from './telemetry.js';

export const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10, connectionTimeoutMillis: 3000 });
// Of connections that nobody uses; without it the process would end.
pool.on('error', (error) => log.warn({ error: error.message }, 'a connection of the pool broke'));
telemetry.watchPool(pool);

export class NotFoundError extends Error {
  name = 'NotFoundError';
  status = 404;
}

/** The rows of a query. */
async function rows(operation, table, statement, values = []) {
  return telemetry.query(operation, table, async () => (await pool.query(statement, values)).rows);
}

/** Rejects where the database does not respond. */
export const pingDatabase = () => pool.query('SELECT 1');

/** Rejects where the next warehouse does not respond. */
export async function pingUpstream() {
  const answer = await fetch(`${UPSTREAM_URL}/health/live`, { signal: AbortSignal.timeout(2000) });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
}

/** What is here of an article. */
export async function stock(sku) {
  const [found] = await rows('SELECT', 'stock', 'SELECT sku, quantity FROM stock WHERE sku = $1', [sku]);
  if (!found) throw new NotFoundError(`there is no article ${sku}`);
  return found;
}

/** What the next warehouse says; the ids of the request go with it. */
export function stockElsewhere(sku) {
  return telemetry.call('upstream', 'GET', async () => {
    const headers = { [CORRELATION_HEADER]: current.getStore().correlationId };
    propagation.inject(context.active(), headers);
    const address = `${UPSTREAM_URL}/stock/${encodeURIComponent(sku)}`;
    const answer = await fetch(address, { headers, signal: AbortSignal.timeout(3000) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return answer.json();
  });
}

/** Place an order; its number. */
export async function place(sku, quantity) {
  await stock(sku);
  const statement = 'INSERT INTO orders (sku, quantity) VALUES ($1, $2) RETURNING id';
  return (await rows('INSERT', 'orders', statement, [sku, quantity]))[0].id;
}

/** An order. */
export async function order(number) {
  const [found] = await rows('SELECT', 'orders', 'SELECT id, sku, quantity FROM orders WHERE id = $1', [number]);
  if (!found) throw new NotFoundError(`there is no order ${number}`);
  return found;
}

/** What was ordered of each article: one query, not one for each article. */
export function report() {
  return telemetry.operation('report', async () =>
    rows('SELECT', 'orders', 'SELECT sku, sum(quantity)::int AS ordered FROM orders GROUP BY sku ORDER BY sku'));
}
