/** Reads over REST, of entries of 1 to 100 KB and of 100 at once, beside a bare GET or MGET of the very bytes that are stored. */
import { measureLatency } from '../rounds.ts';
import { atMost, type Row, rowOf } from '../row.ts';
import type { Bench } from '../setup.ts';
import { median, ratiosOf } from '../statistics.ts';
import { storedKeyOf } from '../stored-key.ts';
import type { Suite } from '../suite.ts';
import { jsonOfBytes } from '../values.ts';

const SIZES_KB = [1, 10, 100] as const;
const REACH = atMost(1.2);
const BATCH = 100;
const BATCH_REACH = atMost(1.5);

export const cacheReads: Suite = {
  name: 'cache-reads',
  async run(bench) {
    const rows: Row[] = [];
    for (const kb of SIZES_KB) rows.push(await readRow(bench, kb));
    return [...rows, await batchRow(bench)];
  },
};

async function readRow({ app, caller, raw }: Bench, kb: number): Promise<Row> {
  const name = { namespace: 'products', key: `bench/read-${kb}` };
  const meta = { content_type: 'application/json' };
  await app.rest.cache.set(caller, name, { value: jsonOfBytes(kb * 1024), meta, ttlMs: 3_600_000 });
  const key = await storedKeyOf(raw.tcp, caller, name);
  const storedBytes = await raw.tcp.strlen(key);
  const p50 = await measureLatency({ ours: () => app.rest.cache.get(caller, name), raw: () => raw.rest.get(key) });
  return rowOf(
    {
      id: `cache-read-rest-${kb}kb`,
      layer: 'lib',
      what: `Read of ${kb} KB of JSON over REST vs raw @upstash/redis GET of what is stored, p50`,
      reach: REACH,
      unit: '×',
      detail: `${median(p50.ours).toFixed(0)} vs ${median(p50.raw).toFixed(0)} µs; ${storedBytes.toLocaleString('en')} bytes stored`,
    },
    ratiosOf(p50.ours, p50.raw),
  );
}

async function batchRow({ app, caller, raw }: Bench): Promise<Row> {
  const [namespace, meta] = ['products', { content_type: 'application/json' }];
  const keys = Array.from({ length: BATCH }, (_, i) => `bench/read-${i}-of-${BATCH}`);
  const stored: string[] = [];
  for (const key of keys) {
    await app.tcp.cache.set(caller, { namespace, key }, { value: jsonOfBytes(1024), meta, ttlMs: 3_600_000 });
    stored.push(await storedKeyOf(raw.tcp, caller, { namespace, key }));
  }
  const ours = async () => {
    const items = await app.rest.cache.getMany(caller, namespace, keys);
    if (items.some(({ status }) => status !== 'hit')) throw new Error('An entry is gone');
  };
  const p50 = await measureLatency({ ours, raw: () => raw.rest.mget(stored) });
  return rowOf(
    {
      id: 'cache-read-rest-batch',
      layer: 'lib',
      what: `Batch get of ${BATCH} of 1 KB of JSON over REST vs raw @upstash/redis MGET of what is stored, p50`,
      reach: BATCH_REACH,
      unit: '×',
      detail: `${median(p50.ours).toFixed(0)} vs ${median(p50.raw).toFixed(0)} µs`,
    },
    ratiosOf(p50.ours, p50.raw),
  );
}
