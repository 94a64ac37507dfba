import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  burstOf,
  type Limits,
  packContext,
  packKey,
  packLimits,
  unpackContext,
  unpackCounters,
  unpackLimits,
} from '../../lib/gate/gate-fields.ts';

const count = fc.maxSafeNat();
const limits: fc.Arbitrary<Limits> = fc.record({
  status: fc.constantFrom('active', 'suspended'),
  contextVersion: count,
  generation: count,
  quotas: fc.record({
    memory_bytes: count,
    storage_bytes: count,
    operations_per_minute: fc.nat(60_000_000),
    data_transfer_bytes: count,
  }),
});

describe('fields of the gate [T4 T5]', () => {
  it('limits come back as they went in, to the last digit', () => {
    fc.assert(fc.property(limits, (given) => void expect(unpackLimits(packLimits(given))).toEqual(given)));
  });

  it('limits are what the script matches: nothing but a status and whole numbers', () => {
    fc.assert(fc.property(limits, (given) => void expect(packLimits(given)).toMatch(/^h1,[a-z]+(?:,\d+){7}$/)));
  });

  it.each([
    [0, 0],
    [1, 1],
    [9, 1],
    [19, 1],
    [20, 2],
    [1_000, 100],
    [60_000_000, 6_000_000],
  ])('of %i operations a minute, %i may come at once', (perMinute, burst) => {
    expect(burstOf(perMinute)).toBe(burst);
  });

  it('keeps limiter arithmetic exact at the highest rate that may be asked for', () => {
    const level = burstOf(60_000_000) * 60_000_000 + 60_000_000;
    expect(Number.isSafeInteger(level)).toBe(true);
  });

  it.each(['', 'h2,active,1,1,1,1,1,1,1', 'h1,deleted,1,1,1,1,1,1,1'])('%j is not a gate header', (text) => {
    expect(() => unpackLimits(text)).toThrow(RangeError);
  });

  it.each(['', 'm1,1', 'm2,0,0,0,0,0,0,0,0,0,0,0,0,0', 'm1,0,0,0,0,0,0,0,0,0,0,0,0,0,0'])(
    '%j are not counters',
    (text) => {
      expect(() => unpackCounters(text)).toThrow(RangeError);
    },
  );

  it('a key has a space on both sides of each scope, so that none is found inside another', () => {
    const field = packKey({ id: 'key-1', expiresAtMs: null, scopes: ['cache:read', 'cache:*'] });
    expect(field).toBe('k1,key-1,0,a, cache:read cache:* ');
    expect(packKey({ id: 'key-1', expiresAtMs: 5, scopes: ['*'] })).toBe('k1,key-1,5,a, * ');
  });

  it('a context comes back as it went in, and nothing else is one', () => {
    expect(unpackContext('7', packContext(3))).toEqual({ version: '7', generation: 3 });
    for (const text of ['{}', '{"generation":"1"}', '{"generation":1.5}']) {
      expect(() => unpackContext('7', text)).toThrow(RangeError);
    }
    expect(() => unpackContext('7', 'x')).toThrow(SyntaxError);
  });
});
