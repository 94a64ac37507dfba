/**
 * getOrSet where the entry is there: from Redis, and from a copy of the instance that Redis confirms, beside the caches other
 * services use; and such a copy over REST beside a bare GET of the bytes it saves.
 */
import type { App } from '../../../lib/app.ts';
import { getOrSetJson } from '../../../lib/cache/loading/json-value.ts';
import { documentOf, measureHits } from '../peers/hits.ts';
import type { JsonDocument } from '../peers/peer.ts';
import { measureLatency } from '../rounds.ts';
import { atMost, type Reach, type Row, rowOf } from '../row.ts';
import type { Bench } from '../setup.ts';
import { startApp } from '../start-app.ts';
import { median, ratiosOf } from '../statistics.ts';
import { storedKeyOf } from '../stored-key.ts';
import type { Suite } from '../suite.ts';

const PEERS = ['bentocache', 'cacheable'] as const;
const FROM_REDIS = atMost(1.3);
const CONFIRMED = atMost(1);
const CONFIRMED_OVER_REST = atMost(0.6);
const KB_100 = 100 * 1024;
/** Of the instances that keep copies; those of the bench keep none. */
const COPIES = { PERSISTENCE_CACHE_LOCAL_MAX_BYTES: '32MB' };

export const cacheGetOrSet: Suite = {
  name: 'cache-get-or-set',
  async run(bench) {
    await using parts = new AsyncDisposableStack();
    const tcp = await startApp({ ...bench.env.tcp, ...COPIES }, { parts });
    const rest = await startApp({ ...bench.env.rest, ...COPIES }, { parts });
    const redis = { app: bench.app.tcp, what: 'getOrSet, hit from Redis', id: 'redis', reach: FROM_REDIS };
    const copy = { app: tcp, what: 'getOrSet, copy that Redis confirms', id: 'copy', reach: CONFIRMED };
    return [
      ...(await hitRows(bench, { ...redis, bytes: 1024 })),
      ...(await hitRows(bench, { ...redis, bytes: KB_100 })),
      ...(await hitRows(bench, { ...copy, bytes: KB_100 })),
      await restRow(bench, rest),
    ];
  },
};

interface Hits {
  readonly app: App;
  readonly what: string;
  readonly id: string;
  readonly reach: Reach;
  readonly bytes: number;
}

async function hitRows(bench: Bench, { app, what, id, reach, bytes }: Hits): Promise<readonly Row[]> {
  const name = { namespace: 'products', key: `bench/get-or-set-${bytes}` };
  const document = documentOf(bytes);
  const call = { caller: bench.caller, name };
  const options = { parse: (json: unknown) => json as JsonDocument, ttlMs: 3_600_000 };
  await getOrSetJson(app.cache, call, async () => document, options);
  const missed = () => Promise.reject(new Error('Ours missed'));
  const ours = async () => {
    const found = await getOrSetJson(app.cache, call, missed, options);
    if (found === null) throw new Error('The entry is gone');
    return found.value;
  };
  const p50 = await measureHits({ redisUrl: bench.redisUrl, layers: 'redis', bytes, ours });
  const kb = bytes / 1024;
  return PEERS.map((peer) =>
    rowOf(
      {
        id: `cache-get-or-set-${id}-${peer}-${kb}kb`,
        layer: 'lib',
        what: `${what}: ${kb} KB document over TCP, parsed, vs ${peer} from Redis, p50`,
        reach,
        unit: '×',
        detail: `${median(p50.ours).toFixed(0)} vs ${median(p50[peer]).toFixed(0)} µs`,
      },
      ratiosOf(p50.ours, p50[peer]),
    ),
  );
}

async function restRow({ caller, raw }: Bench, app: App): Promise<Row> {
  const name = { namespace: 'products', key: 'bench/copy-over-rest' };
  const meta = { content_type: 'application/json' };
  const value = Buffer.from(JSON.stringify(documentOf(KB_100)));
  await app.cache.set(caller, name, { value, meta, ttlMs: 3_600_000 });
  await raw.rest.set('bench:raw:copy', value.toString());
  const storedKey = await storedKeyOf(raw.tcp, caller, name);
  const p50 = await measureLatency({
    ours: () => app.cache.get(caller, name),
    raw: () => raw.rest.get('bench:raw:copy'),
    stored: () => raw.rest.get(storedKey),
  });
  const [ours, ofValue, ofStored] = [median(p50.ours), median(p50.raw), median(p50.stored)];
  return rowOf(
    {
      id: 'cache-copy-rest-100kb',
      layer: 'lib',
      what: 'Read of 100 KB over REST, copy that Redis confirms, vs raw @upstash/redis GET of 100 KB, p50',
      reach: CONFIRMED_OVER_REST,
      unit: '×',
      detail: `${ours.toFixed(0)} vs ${ofValue.toFixed(0)} µs; GET of what is stored: ${ofStored.toFixed(0)} µs`,
    },
    ratiosOf(p50.ours, p50.raw),
  );
}
