/** Overwrites of an entry beside a bare SET with the same lifetime, of the same value as it was given: uncompressed. */
import { measureLatency } from '../rounds.ts';
import { atMost, type Reach, type Row, rowOf } from '../row.ts';
import type { Bench } from '../setup.ts';
import { median, ratiosOf } from '../statistics.ts';
import type { Suite } from '../suite.ts';
import { jsonOfBytes } from '../values.ts';

const TTL_SECONDS = 3_600;

interface Write {
  readonly kb: number;
  readonly transport: 'rest' | 'tcp';
  /** Of what is beside it for comparison there is none. */
  readonly reach?: Reach;
}

const WRITES: readonly Write[] = [
  { kb: 1, transport: 'rest', reach: atMost(1.25) },
  { kb: 100, transport: 'rest', reach: atMost(1) },
  { kb: 1, transport: 'tcp' },
  { kb: 100, transport: 'tcp' },
];
const CLIENTS = { rest: '@upstash/redis', tcp: 'ioredis' } as const;

export const cacheWrites: Suite = {
  name: 'cache-writes',
  async run(bench) {
    const rows: Row[] = [];
    for (const write of WRITES) rows.push(await writeRow(bench, write));
    return rows;
  },
};

async function writeRow(bench: Bench, { kb, transport, reach }: Write): Promise<Row> {
  const p50 = await measureLatency(sidesOf(bench, transport, jsonOfBytes(kb * 1024)));
  // Up to 1,024 bytes nothing is compressed.
  const packed = kb > 1 ? ', LZ4,' : '';
  return rowOf(
    {
      id: `cache-write-${transport}-${kb}kb`,
      layer: 'lib',
      what: `Set of ${kb} KB of JSON${packed} over ${transport.toUpperCase()} vs raw ${CLIENTS[transport]} SET, p50`,
      ...(reach === undefined ? {} : { reach }),
      unit: '×',
      detail: `${median(p50.ours).toFixed(0)} vs ${median(p50.raw).toFixed(0)} µs`,
    },
    ratiosOf(p50.ours, p50.raw),
  );
}

function sidesOf({ app, caller, raw }: Bench, transport: Write['transport'], value: Buffer) {
  const name = { namespace: 'products', key: `bench/write-${value.length}` };
  const entry = { value, meta: { content_type: 'application/json' }, ttlMs: TTL_SECONDS * 1000 };
  const key = `bench:raw:write-${value.length}`;
  const text = value.toString();
  return {
    ours: () => app[transport].cache.set(caller, name, entry),
    raw: (): Promise<unknown> =>
      transport === 'rest' ? raw.rest.set(key, text, { ex: TTL_SECONDS }) : raw.tcp.set(key, value, 'EX', TTL_SECONDS),
  };
}
