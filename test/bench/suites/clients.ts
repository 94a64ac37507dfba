/** Reads and writes of 1, 4, 8 and 16 clients, three reads for each write, beside what another system claims. */
import { measureThroughput } from '../rounds.ts';
import { type Row, rowOf } from '../row.ts';
import type { Bench } from '../setup.ts';
import { median } from '../statistics.ts';
import type { Suite } from '../suite.ts';
import { jsonOfBytes } from '../values.ts';

const CLAIMS = { 1: '1,250 ops/s', 4: '4,200 ops/s', 8: '7,800 ops/s', 16: '12,400 ops/s' } as const;
const CLIENTS = [1, 4, 8, 16] as const;
const READS_PER_WRITE = 3;

export const clients: Suite = {
  name: 'clients',
  async run(bench) {
    const sides = mixedLoad(bench);
    const rows: Row[] = [];
    for (const concurrency of CLIENTS) {
      const rate = await measureThroughput(sides, { rounds: 9, blockMs: 50, concurrency });
      const usPerCall = (concurrency * 1e6) / median(rate.ours);
      const facts = {
        id: `clients-${concurrency}`,
        layer: 'lib',
        what: `${concurrency} client${concurrency === 1 ? '' : 's'}, 1 KB, 3 reads for a write, TCP`,
        claim: CLAIMS[concurrency],
        unit: 'ops/s',
        detail: `${usPerCall.toFixed(0)} µs a call; raw ${median(rate.raw).toFixed(0)} a second`,
      } as const;
      rows.push(rowOf(facts, rate.ours));
    }
    return rows;
  },
};

function mixedLoad({ app, caller, entry, raw, rawKey }: Bench) {
  const value = jsonOfBytes(1024);
  const name = { namespace: 'products', key: 'bench/mixed' };
  const meta = { content_type: 'application/json' };
  const isWrite = () => turn++ % (READS_PER_WRITE + 1) === 0;
  let turn = 0;
  return {
    ours: (): Promise<unknown> =>
      isWrite() ? app.tcp.cache.set(caller, name, { value, meta, ttlMs: 3_600_000 }) : app.tcp.cache.get(caller, entry),
    raw: (): Promise<unknown> => (isWrite() ? raw.tcp.set('bench:raw:mixed', value) : raw.tcp.get(rawKey)),
  };
}
