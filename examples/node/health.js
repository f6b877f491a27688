// Health: whether the process lives, whether it can serve, and the state of each dependency.
const started = performance.now();

/** Dependencies are { name, required, ping }; `ping` rejects where one does not respond. */
export class Health {
  stopping = false;

  constructor(...dependencies) {
    this.dependencies = dependencies;
  }

  /** A dependency that is down is no reason to restart the process. */
  async live() {
    return [200, { status: 'alive', timestamp: new Date().toISOString() }];
  }

  /** Whether requests should be sent here. */
  async ready() {
    const states = await this.#states((one) => one.required);
    const down = Object.values(states).some((state) => state.status !== 'up');
    const status = this.stopping ? 'stopping' : down ? 'not ready' : 'ready';
    return [status === 'ready' ? 200 : 503, { status, timestamp: new Date().toISOString(), dependencies: states }];
  }

  /** Everything. Degraded is no failure: what is required works. */
  async full() {
    const states = await this.#states(() => true);
    const down = Object.values(states).filter((state) => state.status !== 'up');
    const status = down.some((state) => state.required) ? 'down' : down.length ? 'degraded' : 'ok';
    const uptime = Math.round((performance.now() - started) / 100) / 10;
    return [
      status === 'down' ? 503 : 200,
      { status, timestamp: new Date().toISOString(), uptime_seconds: uptime, dependencies: states },
    ];
  }

  async #states(wanted) {
    const asked = this.dependencies.filter(wanted).map(async (one) => [one.name, await state(one)]);
    return Object.fromEntries(await Promise.all(asked));
  }
}

async function state({ required, ping }) {
  const start = performance.now();
  let found = { status: 'up', required };
  try {
    await ping();
  } catch (error) {
    found = { status: 'down', required, reason: error?.name ?? 'Error' };
  }
  return { ...found, milliseconds: Math.round((performance.now() - start) * 10) / 10 };
}
