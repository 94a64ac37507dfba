/** A read of 1 KB through the gate over REST, beside a bare GET and beside the ways to get the same safety without us. */
import { Ratelimit } from '@upstash/ratelimit';
import type { Redis } from '@upstash/redis';
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
    const ours = () => app.rest.cache.get(caller, entry);
    const get = () => raw.rest.get(rawKey);
    const p50 = await measureLatency({
      ours,
      raw: get,
      limited: limitedGet(bench),
      separate: await separateCalls(bench),
    });
    const rate = await measureThroughput({ ours, raw: get }, { concurrency: CALLERS });
    return [...latencyRows(p50), throughputRow(rate)];
  },
};

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

const throughputRow = (rate: Rounds<'ours' | 'raw'>): Row =>
  rowOf(
    {
      id: 'rest-read-throughput-16',
      layer: 'lib',
      what: 'Read of 1 KB over REST vs raw GET, calls per second of 16 callers',
      reach: atLeast(0.92),
      unit: '×',
      detail: `${median(rate.ours).toFixed(0)} vs ${median(rate.raw).toFixed(0)} a second`,
    },
    ratiosOf(rate.ours, rate.raw),
  );
