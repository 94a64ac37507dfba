/** A read of 1 KB through the gate over REST, beside a bare GET and beside the ways to get the same safety without us. */
import { Ratelimit } from '@upstash/ratelimit';
import type { Redis } from '@upstash/redis';
import { buildApp } from '../../../lib/app.ts';
import { createRawRest } from '../raw-clients.ts';
import { measureLatency, measureThroughput, type Rounds } from '../rounds.ts';
import { atLeast, atMost, type Row, rowOf } from '../row.ts';
import type { Bench } from '../setup.ts';
import { median, ratiosOf } from '../statistics.ts';
import type { Suite } from '../suite.ts';

const CALLERS = 16;

export const restRead: Suite = {
  name: 'rest-read',
  async run(bench) {
    const { app, caller, entry, raw, rawKey } = bench;
    const shared = { ours: () => app.rest.cache.get(caller, entry), raw: () => raw.rest.get(rawKey) };
    const p50 = await measureLatency({
      ...shared,
      limited: limitedGet(bench),
      separate: await separateCalls(bench),
    });
    const own = await ownRequests(bench);
    return [
      ...latencyRows(p50),
      throughputRow(await measureThroughput(own, { concurrency: CALLERS }), {
        id: 'rest-read-throughput-16',
        what: 'Read of 1 KB over REST vs raw GET, 16 callers, a request for each call on both sides',
        reach: atLeast(0.92),
      }),
      throughputRow(await measureThroughput(shared, { concurrency: CALLERS }), {
        id: 'rest-read-shared-16',
        what: 'the same where calls of one turn share a request on both sides (the default)',
      }),
    ];
  },
};

/** Both sides without shared requests: `redis.enable_pipelining` false. */
async function ownRequests({ app, caller, entry, rawKey }: Bench) {
  const redis = { ...app.rest.config.redis, enablePipelining: false };
  const { cache } = await buildApp({ ...app.rest.config, redis });
  const raw = createRawRest(redis);
  return { ours: () => cache.get(caller, entry), raw: () => raw.get(rawKey) };
}

/** The limiter first, then the value: no key is checked, nothing is metered. */
function limitedGet({ raw, rawKey }: Bench) {
  const limiter = Ratelimit.slidingWindow(60_000_000, '1 m');
  const ratelimit = new Ratelimit({ redis: raw.rest, limiter, ephemeralCache: false, prefix: 'bench:ratelimit' });
  return async () => {
    const { success } = await ratelimit.limit('tenant');
    if (!success) throw new Error('The limiter refused');
    return raw.rest.get(rawKey);
  };
}

/** Key, limits, rate, value, and two counters: six trips. They are not atomic, and two callers may both pass the limit. */
async function separateCalls({ raw, rawKey }: Bench) {
  const redis: Redis = raw.rest;
  await redis.hset('bench:separate', { key: 'k1,key,0,a, * ', limits: 'h1,active,1,1,60000000' });
  return async () => {
    if ((await redis.hget('bench:separate', 'key')) === null) throw new Error('The key is unknown');
    const limits = await redis.hget<string>('bench:separate', 'limits');
    const used = await redis.incr('bench:separate:minute');
    if (used > Number(limits?.split(',')[4])) throw new Error('The limit is reached');
    const value = await redis.get<string>(rawKey);
    await redis.hincrby('bench:separate', 'operations', 1);
    await redis.hincrby('bench:separate', 'bytes_out', value?.length ?? 0);
    return value;
  };
}

function latencyRows(p50: Rounds<'ours' | 'raw' | 'limited' | 'separate'>): readonly Row[] {
  const row = (id: string, what: string, reach: number, other: 'raw' | 'limited' | 'separate') =>
    rowOf(
      {
        id,
        layer: 'lib',
        what,
        reach: atMost(reach),
        unit: '×',
        detail: `${median(p50.ours).toFixed(0)} vs ${median(p50[other]).toFixed(0)} µs`,
      },
      ratiosOf(p50.ours, p50[other]),
    );
  return [
    row('rest-read-p50', 'Read of 1 KB over REST vs raw @upstash/redis GET, p50', 1.2, 'raw'),
    row('rest-vs-ratelimit-p50', 'the same vs @upstash/ratelimit limit() and GET, p50', 0.55, 'limited'),
    row('rest-vs-separate-p50', 'the same vs its steps as 6 separate calls, p50', 0.3, 'separate'),
  ];
}

function throughputRow(rate: Rounds<'ours' | 'raw'>, facts: Pick<Row, 'id' | 'what' | 'reach'>): Row {
  const detail = `${median(rate.ours).toFixed(0)} vs ${median(rate.raw).toFixed(0)} a second`;
  return rowOf({ ...facts, layer: 'lib', unit: '×', detail }, ratiosOf(rate.ours, rate.raw));
}
