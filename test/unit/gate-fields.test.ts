import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packContext, unpackContext } from '../../lib/gate/context-format.ts';
import { NO_COUNTERS, unpackCounters } from '../../lib/gate/counters.ts';
import { burstOf, type Limits, packKey, packLimits, unpackKey, unpackLimits } from '../../lib/gate/gate-fields.ts';

const count = fc.maxSafeNat();
const limits: fc.Arbitrary<Limits> = fc.record({
  status: fc.constantFrom('active', 'suspended', 'deleted'),
  burst: fc.nat(60_000_000),
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

  it.each(['', 'h2,active,1,1,1,1,1,1,1', 'h1,erased,1,1,1,1,1,1,1'])('%j is not a gate header', (text) => {
    expect(() => unpackLimits(text)).toThrow(RangeError);
  });

  it.each(['', 'm1,1', 'm5,0,0,0,0,0,0,0,0,0,0,0,0,0', `${NO_COUNTERS},0`, 'm1,0,0,0,0,0,0,0,0,0,0,0,0,0,0'])(
    '%j are not counters',
    (text) => {
      expect(() => unpackCounters(text)).toThrow(RangeError);
    },
  );

  it('a key has a space on both sides of each scope, so that none is found inside another', () => {
    const field = packKey({ id: 'key-1', expiresAtMs: null, scopes: ['cache:read', 'cache:*'] });
    expect(field).toBe('k2,key-1,0,a,0, cache:read cache:* ');
    expect(packKey({ id: 'key-1', expiresAtMs: 5, scopes: ['*'] })).toBe('k2,key-1,5,a,0, * ');
  });

  it('what is known of a key comes back, also of one written before its use was told', () => {
    const key = { id: 'key-1', expiresAtMs: null, revoked: false, lastUsedAtMs: null };
    expect(unpackKey(packKey({ id: 'key-1', expiresAtMs: null, scopes: ['*'] }))).toEqual(key);
    expect(unpackKey('k1,key-1,0,a, * ')).toEqual(key);
    expect(unpackKey('k2,key-1,5,r,20, * ')).toEqual({
      ...key,
      expiresAtMs: 5,
      revoked: true,
      lastUsedAtMs: 1_200_000,
    });
    expect(() => unpackKey('k3,key-1,0,a, * ')).toThrow(RangeError);
  });

  it('a context comes back as it went in, and nothing else is one', () => {
    const data = {
      keys: [{ version: 1, key_id: 'master', wrapped: 'AAAA' }],
      data_key: 1,
      policies: { default: 'deny', statements: [{ effect: 'allow', actions: ['*'], resources: ['cache/*'] }] },
      cache: { eviction: 'none', namespaces: { ns: { default_ttl_seconds: null } } },
      sessions: { timeout_seconds: 60, spill_threshold_ratio: 0.5 },
    } as const;
    expect(unpackContext('7', '3', packContext(data))).toEqual({ ...data, version: '7', generation: 3 });
    expect(unpackContext('7', '3', packContext())).toEqual({
      keys: [],
      data_key: 0,
      policies: null,
      cache: {},
      sessions: {},
      version: '7',
      generation: 3,
    });
    for (const text of ['{"keys":{}}', '{"data_key":1.5}', '{"cache":null}', '{"sessions":null}', '{"sessions":5}']) {
      expect(() => unpackContext('7', '3', text)).toThrow(RangeError);
    }
    expect(() => unpackContext('7', '', '{}')).toThrow(RangeError);
    expect(() => unpackContext('7', '3', 'x')).toThrow(SyntaxError);
  });
});
