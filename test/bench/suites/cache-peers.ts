/** Hits from Redis beside the caches other services use, none of which checks a key, limits or meters; and their stampedes. */
import { documentOf, measureHits } from '../peers/hits.ts';
import { countLoads } from '../peers/misses.ts';
import type { JsonDocument } from '../peers/peer.ts';
import { PEER_NAMES, type PeerName } from '../peers/start-peers.ts';
import { atMost, type Row, rowOf } from '../row.ts';
import type { Bench } from '../setup.ts';
import { median, ratiosOf } from '../statistics.ts';
import type { Suite } from '../suite.ts';

const SIZES_KB = [1, 100] as const;
const REACH = atMost(1.3);
const CALLERS = 1_000;
const PROCESSES = 4;

export const cachePeers: Suite = {
  name: 'cache-peers',
  async run(bench) {
    const rows: Row[] = [];
    for (const kb of SIZES_KB) rows.push(...(await hitRows(bench, kb)));
    for (const name of PEER_NAMES) rows.push(await stampedeRow(bench, name));
    return rows;
  },
};

async function hitRows(bench: Bench, kb: number): Promise<readonly Row[]> {
  const ours = await ourHit(bench, kb * 1024);
  const p50 = await measureHits({ redisUrl: bench.redisUrl, layers: 'redis', bytes: kb * 1024, ours });
  return PEER_NAMES.map((name) =>
    rowOf(
      {
        id: `peer-hit-${name}-${kb}kb`,
        layer: 'lib',
        what: `Hit from Redis over TCP of a ${kb} KB document, parsed, vs ${name} getOrSet, p50`,
        reach: REACH,
        unit: '×',
        detail: `${median(p50.ours).toFixed(0)} vs ${median(p50[name]).toFixed(0)} µs`,
      },
      ratiosOf(p50.ours, p50[name]),
    ),
  );
}

/** Nothing of ours is kept in the process. */
async function ourHit({ app, caller }: Bench, bytes: number): Promise<() => Promise<JsonDocument>> {
  const { cache } = app.tcp;
  const name = { namespace: 'products', key: `bench/peer-${bytes}` };
  const value = Buffer.from(JSON.stringify(documentOf(bytes)));
  await cache.set(caller, name, { value, meta: { content_type: 'application/json' }, ttlMs: 3_600_000 });
  return async () => {
    const found = await cache.get(caller, name);
    if (found === null || 'unchanged' in found) throw new Error('The entry is gone');
    return JSON.parse(found.value.toString());
  };
}

async function stampedeRow({ redisUrl }: Bench, name: PeerName): Promise<Row> {
  const options = { redisUrl, layers: 'memory-and-redis', callers: CALLERS } as const;
  const alone = await countLoads(name, { ...options, processes: 1 });
  const together = await countLoads(name, { ...options, processes: PROCESSES });
  return rowOf(
    {
      id: `peer-stampede-${name}`,
      layer: 'lib',
      what: `${name}: loads when ${PROCESSES} processes miss a key, ${CALLERS.toLocaleString('en')} callers each`,
      unit: 'calls',
      detail: `${alone} in one process`,
    },
    [together],
  );
}
