/** Statistics of caches that hold the same documents, each packed another way: what was hit, and what was saved. */
import { demand, demandStatus } from '../../claims.ts';
import type { DemoTenant } from '../../tenant.ts';
import { type Act, AMPLE_OPERATIONS, type CacheFigures, type Stage } from '../stage.ts';
import { type Item, inChunks, toItems } from './packages.ts';

const NAMESPACE = 'docs';
const COMPRESSIONS = ['none', 'lz4', 'zstd'] as const;
const MAX_DOCUMENTS = 100;
/** Of ten reads so many are of what is not there. */
const MISSES = 1 / 10;

export const proveStats: Act = {
  title: 'Cache: statistics',
  async run(stage) {
    const items = await toItems(stage.documents.slice(0, MAX_DOCUMENTS));
    const cacheFigures: CacheFigures[] = [];
    for (const compression of COMPRESSIONS) cacheFigures.push(await use(stage, items, compression));
    const [plain, lz4, zstd] = cacheFigures.map(({ packed_bytes }) => packed_bytes) as [number, number, number];
    demand(lz4 <= plain && zstd <= plain, `Packed, ${plain} bytes take ${lz4} (lz4) and ${zstd} (zstd)`);
    return {
      shown: ['The statistics of a cache are those of its caller: hits, misses, entries and bytes, for each packing'],
      cacheFigures,
    };
  },
};

async function use(
  { cast }: Stage,
  items: readonly Item[],
  compression: (typeof COMPRESSIONS)[number],
): Promise<CacheFigures> {
  // Sealed values take more than they are packed to: that is not what is compared.
  const settings = { encryption: false, cache: { namespaces: { [NAMESPACE]: { compression } } } };
  const tenant = await cast.create({ name: compression, plan: 'professional', quotas: AMPLE_OPERATIONS, ...settings });
  const rawBytes = await storeAll(tenant, items);
  const misses = await readAll(tenant, items);
  const reply = await cast.admin.getCacheStats({ query: { tenant_id: tenant.id } });
  demandStatus(reply, 200, 'The statistics of a cache');
  const stats = reply.data;
  const told = [stats.total_keys, stats.hits, stats.misses, stats.raw_bytes].join(', ');
  const mustBe = [items.length, items.length, misses, rawBytes].join(', ');
  demand(told === mustBe, `Entries, hits, misses, bytes: the statistics say ${told}, and it must be ${mustBe}`);
  const { hits, hit_rate, total_keys, raw_bytes, packed_bytes, avg_access_time_us } = stats;
  return { compression, keys: total_keys, hits, misses, hit_rate, raw_bytes, packed_bytes, avg_access_time_us };
}

/** @returns the bytes of all of them. @throws {BrokenClaimError} */
async function storeAll({ client }: DemoTenant, items: readonly Item[]): Promise<number> {
  for (const chunk of inChunks(items, MAX_DOCUMENTS)) {
    const set = chunk.map((item) => ({ ...item, ttl_seconds: 3_600 }));
    const reply = await client.batchEntries({ params: { namespace: NAMESPACE }, body: { set } });
    demandStatus(reply, 200, `Store a batch of ${chunk.length}`);
    const other = reply.data.items.find(({ status }) => status !== 'created');
    demand(other === undefined, `${other?.key} in a batch is ${other?.status}, not created`);
  }
  return items.reduce((sum, { value_base64 }) => sum + Buffer.byteLength(value_base64, 'base64'), 0);
}

/** Reads each, and some that are not there. @returns how many of those. @throws {BrokenClaimError} */
async function readAll({ client }: DemoTenant, items: readonly Item[]): Promise<number> {
  const missing = Math.max(1, Math.round((items.length * MISSES) / (1 - MISSES)));
  for (const { key } of items)
    demandStatus(await client.getEntry({ params: { namespace: NAMESPACE, key } }), 200, `Read ${key}`);
  for (let n = 0; n < missing; n++) {
    const reply = await client.getEntry({ params: { namespace: NAMESPACE, key: `missing-${n}` } });
    demand(reply.status === 404, `A read of what is not there is answered by ${reply.status}`);
  }
  return missing;
}
