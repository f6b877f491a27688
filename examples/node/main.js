// The service's routes, its start and its end.
import * as reports from './reports.js'; // First: what it instruments is imported after it.
import express from 'express';
import { Health } from './health.js';
import { current, log } from './logs.js';
import { instrumented } from './middleware.js';
import { PORT, UPSTREAM_URL } from './settings.js';
import * as store from './store.js';
import * as telemetry from './telemetry.js';

const health = new Health(
  { name: 'database', required: true, ping: store.pingDatabase },
  ...(UPSTREAM_URL ? [{ name: 'upstream', required: false, ping: store.pingUpstream }] : []),
);

class ValidationError extends Error {
  name = 'ValidationError';
  status = 400;
}

const app = express();
app.disable('x-powered-by');
app.use(instrumented);
app.use(express.json({ limit: '64kb' }));

app.get('/metrics', async (_, res) => {
  res.set('Content-Type', telemetry.register.contentType).end(await telemetry.register.metrics());
});
for (const [path, answer] of [['/health', 'full'], ['/health/live', 'live'], ['/health/ready', 'ready']]) {
  app.get(path, async (_, res) => {
    const [status, document] = await health[answer]();
    res.status(status).json(document);
  });
}

// What is here of an article, and what the next warehouse has; that one may be down.
app.get('/stock/:sku', async function stock(req, res) {
  const here = await store.stock(req.params.sku);
  let elsewhere = null;
  if (UPSTREAM_URL) {
    try {
      elsewhere = await store.stockElsewhere(req.params.sku);
    } catch (error) {
      log.warn({ error: `${error.name}: ${error.message}` }, 'the next warehouse does not answer');
    }
  }
  res.json({ ...here, elsewhere });
});

app.post('/orders', async function place(req, res) {
  const { sku, quantity } = req.body ?? {};
  if (typeof sku !== 'string') throw new ValidationError('sku: must be a text');
  if (!Number.isInteger(quantity) || quantity <= 0) throw new ValidationError('quantity: must be a number above 0');
  const id = await store.place(sku, quantity);
  telemetry.orders.inc();
  res.status(201).json({ id });
});

app.get('/orders/:number', async function order(req, res) {
  if (!/^\d{1,9}$/.test(req.params.number)) throw new ValidationError('number: must be a number');
  res.json(await store.order(Number(req.params.number)));
});

app.get('/report', async function report(_, res) {
  res.json(await store.report());
});

app.use((_, res) => res.status(404).json({ error: 'there is no such page', ...correlation() }));

// Express knows it as the handler of errors by its four parameters.
app.use((error, _, res, _next) => {
  const status = error.status >= 400 && error.status < 500 ? error.status : 500;
  if (status === 500) telemetry.failed(error);
  res.status(status).json({ error: status === 500 ? 'something went wrong' : error.message, ...correlation() });
});

const correlation = () => ({ correlation_id: current.getStore()?.correlationId });

const server = app.listen(PORT, () => log.info({ port: PORT }, 'listening'));

// Accepts no connection any more, finishes the requests under way and ends.
process.once('SIGTERM', () => {
  health.stopping = true;
  const idle = setInterval(() => server.closeIdleConnections(), 100);
  server.close(async () => {
    clearInterval(idle);
    await store.pool.end();
    await telemetry.flush();
    await reports.flush();
    log.info('stopped');
    process.exit(); // Idle connections of clients would keep the process for seconds.
  });
});

// What nobody caught: logged with its fingerprint like any error, and then the process ends.
process.once('uncaughtException', (error) => {
  log.fatal({ err: error }, 'uncaught exception');
  reports.flush().finally(() => process.exit(1));
});
