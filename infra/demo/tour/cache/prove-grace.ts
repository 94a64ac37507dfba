/** Past its lifetime a value is kept for its grace: served, labelled, to who asks for it, while its source is down. */
import { setTimeout as delay } from 'node:timers/promises';
import { demand, demandRefusal, demandStatus } from '../../claims.ts';
import type { DemoTenant } from '../../tenant.ts';
import { type Act, AMPLE_OPERATIONS } from '../stage.ts';

const PARAMS = { namespace: 'weather', key: 'today' };
const LIFETIME = { ttl_seconds: 1, grace_seconds: 600 };
const POLL_MS = 100;
const MAX_WAIT_MS = 5_000;

export const proveGrace: Act = {
  title: 'Cache: a source that is down',
  async run({ cast, signal }) {
    const { client } = await cast.create({ name: 'weather', plan: 'starter', quotas: AMPLE_OPERATIONS });
    demandStatus(await client.putEntry({ params: PARAMS, query: LIFETIME, body: 'sunny' }), 201, 'Store for a second');
    await untilStale(client, signal);
    await failToLoad(client);
    const again = await readStale(client);
    demand(again.lease !== null, 'Given back, the lease is there for the next who asks');
    const headers = { 'riptide-lease': again.lease };
    const renewed = await client.putEntry({ params: PARAMS, query: LIFETIME, headers, body: 'rain' });
    // To who does not ask for stale ones there was none.
    demandStatus(renewed, 201, 'Store what was loaded once the source was back');
    const fresh = await client.getEntry({ params: PARAMS });
    demandStatus(fresh, 200, 'Read the fresh value');
    demand(Buffer.from(fresh.bytes).toString() === 'rain', 'The fresh value is what was loaded last');
    return {
      shown: [
        'The source is down: past its lifetime of 1 s a plain read misses, "stale=allow" is served the last value, labelled; then a fresh one',
      ],
    };
  },
};

type Client = DemoTenant['client'];

async function untilStale(client: Client, signal: AbortSignal): Promise<void> {
  const endMs = performance.now() + MAX_WAIT_MS;
  let read = await client.getEntry({ params: PARAMS });
  while (read.ok && performance.now() < endMs) {
    await delay(POLL_MS, undefined, { signal });
    read = await client.getEntry({ params: PARAMS });
  }
  demandRefusal(read, { status: 404, code: 'entry_not_found' }, 'A plain read past the lifetime');
}

/** Who has the lease finds the source down, gives the lease back, and has the stale value to go on with. */
async function failToLoad(client: Client): Promise<void> {
  const { text, lease } = await readStale(client);
  demand(
    text === 'sunny' && lease !== null,
    `Past its lifetime the value is "${text}", with the lease to load another`,
  );
  const other = await readStale(client);
  demand(other.lease === null, 'Two callers have the lease of one entry');
  const back = await client.deleteEntry({ params: PARAMS, headers: { 'riptide-lease': lease } });
  demandStatus(back, 204, 'Give the lease back');
}

async function readStale(client: Client) {
  const read = await client.getEntry({ params: PARAMS, query: { stale: 'allow', lease_ms: 5_000 } });
  demandStatus(read, 200, 'Read with stale=allow');
  demand(read.headers.get('riptide-stale') === 'true', 'A stale value says that it is stale');
  return { text: Buffer.from(read.bytes).toString(), lease: read.headers.get('riptide-lease') };
}
