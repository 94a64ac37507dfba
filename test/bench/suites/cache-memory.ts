/** What Redis holds for an entry besides its value: key, header, metadata, index, and the server's own bookkeeping. */
import { parseApiKey } from '../../../lib/gate/caller.ts';
import { createTenant } from '../create-tenant.ts';
import { forEach } from '../fleet.ts';
import { startOwnRedis, usedMemory } from '../own-redis.ts';
import { atMost, rowOf } from '../row.ts';
import type { Bench } from '../setup.ts';
import type { Suite } from '../suite.ts';
import { jsonOfBytes } from '../values.ts';

const ENTRIES = 100_000;
/** Small, so that it is stored as it is. Bytes. */
const VALUE_BYTES = 256;

export const cacheMemory: Suite = {
  name: 'cache-memory',
  async run(bench) {
    await using parts = new AsyncDisposableStack();
    const { redis, set } = await startCache(bench, parts);
    await set(ENTRIES);
    const before = await usedMemory(redis);
    await forEach([...Array(ENTRIES).keys()], set);
    const perEntry = ((await usedMemory(redis)) - before) / ENTRIES;
    return [
      rowOf(
        {
          id: 'cache-memory-per-entry',
          layer: 'lib',
          what: `Memory of Redis for each of ${ENTRIES.toLocaleString('en')} entries besides its value`,
          reach: atMost(900),
          unit: 'B',
          detail: `used_memory; values of ${VALUE_BYTES} bytes, keys of 20, no tags`,
        },
        [perEntry - VALUE_BYTES],
      ),
    ];
  },
};

async function startCache({ env }: Bench, parts: AsyncDisposableStack) {
  const { app, redis } = await startOwnRedis(env.tcp, parts);
  const caller = parseApiKey((await createTenant(app)).apiKey);
  const entry = { value: jsonOfBytes(VALUE_BYTES), meta: { content_type: 'application/json' }, ttlMs: 86_400_000 };
  const set = (index: number) =>
    app.cache.set(caller, { namespace: 'products', key: `catalogue/item-${String(index).padStart(5, '0')}` }, entry);
  return { redis, set };
}
