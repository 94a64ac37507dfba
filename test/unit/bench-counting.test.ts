import { describe, expect, it } from 'vitest';
import { scriptCallsOf } from '../bench/command-stats.ts';
import { createTripCounter, NO_TRIPS } from '../bench/trip-counter.ts';

describe('what the bench counts', () => {
  it('tells scripts from what they call', () => {
    const counts = new Map([
      ['evalsha', { calls: 2, us: 20 }],
      ['hmget', { calls: 2, us: 4 }],
      ['hset', { calls: 1, us: 3 }],
    ]);
    expect(scriptCallsOf(counts)).toEqual({ scripts: { calls: 2, us: 20 }, inner: 3, names: ['hmget', 'hset'] });
    expect(scriptCallsOf(new Map())).toEqual({ scripts: { calls: 0, us: 0 }, inner: 0, names: [] });
  });

  it('is a trip when it begins, also one that fails, and each count begins anew', async () => {
    const { failpoint, count } = createTripCounter();
    const trip = async (port: 'redis' | 'keys', well = true) => {
      await failpoint({ port, name: 'any', phase: 'before' });
      if (well) await failpoint({ port, name: 'any', phase: 'after' });
    };
    await trip('redis');
    const first = await count(async () => {
      await trip('redis');
      await trip('keys', false);
      return 'done';
    });
    const second = await count(() => trip('redis'));
    expect(first).toEqual({ result: 'done', trips: { ...NO_TRIPS, redis: 1, keys: 1 } });
    expect(second.trips).toEqual({ ...NO_TRIPS, redis: 1 });
  });
});
