import { describe, expect, it } from 'vitest';
import { createSeenKeys } from '../../lib/gate/seen-keys.ts';

const MINUTE_MS = 60_000;

describe('keys seen of late [T5]', () => {
  const seenKeys = (maxKeys = 10) => {
    const clock = { ms: 0 };
    return { clock, seen: createSeenKeys({ now: () => clock.ms, maxKeys }) };
  };

  it('are those admitted within 5 minutes, each with the scopes it was admitted with', () => {
    const { clock, seen } = seenKeys();
    seen.admitted('a', 'cache:read');
    clock.ms = 2 * MINUTE_MS;
    seen.admitted('a', 'ratelimit:check');
    expect(seen.has('b', 'cache:read')).toBe(false);
    clock.ms = 5 * MINUTE_MS - 1;
    expect([seen.has('a', 'cache:read'), seen.has('a', 'ratelimit:check')]).toEqual([true, true]);
    clock.ms = 5 * MINUTE_MS;
    expect([seen.has('a', 'cache:read'), seen.has('a', 'ratelimit:check')]).toEqual([false, true]);
  });

  it('count for less long where less is asked for', () => {
    const { clock, seen } = seenKeys();
    seen.admitted('a', 'cache:read');
    clock.ms = 99;
    expect([seen.has('a', 'cache:read', 100), seen.has('a', 'cache:read', 99)]).toEqual([true, false]);
  });

  it('are forgotten with all their scopes when they are refused', () => {
    const { seen } = seenKeys();
    seen.admitted('a', 'cache:read');
    seen.admitted('a', 'ratelimit:check');
    seen.refused('a');
    seen.refused('b');
    expect([seen.has('a', 'cache:read'), seen.has('a', 'ratelimit:check')]).toEqual([false, false]);
  });

  it('are so many at most; the first one goes', () => {
    const { seen } = seenKeys(2);
    for (const key of ['a', 'b', 'c']) seen.admitted(key, 's');
    expect(['a', 'b', 'c'].map((key) => seen.has(key, 's'))).toEqual([false, true, true]);
  });
});
