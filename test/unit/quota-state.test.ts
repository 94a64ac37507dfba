import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_COUNTERS, unpackCounters, unpackUse } from '../../lib/gate/counters.ts';
import { RESOURCE_CODES, resourceOfCode, unpackHeld } from '../../lib/quotas/held-format.ts';
import { fits, type QuotaFacts, quotaState, RESOURCES } from '../../lib/quotas/quota-state.ts';

const AT = Date.parse('2026-11-21T12:34:56.789Z');
const MINUTE = Math.floor(AT / 60_000);
const MONTH_END = Date.parse('2026-12-01T00:00:00Z');
const QUOTAS = { memory_bytes: 100, storage_bytes: 200, operations_per_minute: 300, data_transfer_bytes: 400 };

const facts = (changes: Partial<QuotaFacts> = {}): QuotaFacts => ({
  quotas: QUOTAS,
  counters: {
    ...unpackCounters(NO_COUNTERS),
    minute: MINUTE,
    operationsThisMinute: 30,
    periodEndMs: MONTH_END,
    transferBytes: 40,
    memoryBytes: 10,
    storageBytes: 20,
  },
  held: unpackHeld('r1,1,2,4,0,0'),
  nowMs: AT,
  ...changes,
});

describe('the state of a quota [T4]', () => {
  it('is what is used and held of the limit, and when it begins anew', () => {
    expect(quotaState('memory_bytes', facts())).toEqual({ used: 10, held: 1, limit: 100, left: 89, resetsAtMs: null });
    expect(quotaState('storage_bytes', facts())).toEqual({
      used: 20,
      held: 2,
      limit: 200,
      left: 178,
      resetsAtMs: null,
    });
    expect(quotaState('operations_per_minute', facts())).toEqual({
      used: 30,
      held: 0,
      limit: 300,
      left: 270,
      resetsAtMs: Date.parse('2026-11-21T12:35:00Z'),
    });
    expect(quotaState('data_transfer_bytes', facts())).toEqual({
      used: 40,
      held: 4,
      limit: 400,
      left: 356,
      resetsAtMs: MONTH_END,
    });
  });

  it('forgets what a minute and a month have ended, and holds what is held', () => {
    const nextMinute = facts({ nowMs: (MINUTE + 1) * 60_000 });
    expect(quotaState('operations_per_minute', nextMinute)).toMatchObject({ used: 0, left: 300 });
    expect(quotaState('data_transfer_bytes', facts({ nowMs: MONTH_END - 1 }))).toMatchObject({ used: 40 });
    expect(quotaState('data_transfer_bytes', facts({ nowMs: MONTH_END }))).toEqual({
      used: 0,
      held: 4,
      limit: 400,
      left: 396,
      resetsAtMs: Date.parse('2027-01-01T00:00:00Z'),
    });
    expect(quotaState('storage_bytes', facts({ nowMs: MONTH_END }))).toMatchObject({ used: 20 });
  });

  it('of a tenant that never called is nothing, and resets all the same', () => {
    const never = facts({ counters: unpackCounters(NO_COUNTERS), held: unpackHeld(null) });
    for (const resource of RESOURCES) expect(quotaState(resource, never)).toMatchObject({ used: 0, held: 0 });
    expect(quotaState('data_transfer_bytes', never).resetsAtMs).toBe(MONTH_END);
  });

  it('has nothing left below nothing, and fits exactly what is left', () => {
    const amounts = fc.tuple(fc.nat(500), fc.nat(500), fc.nat(1_000));
    fc.assert(
      fc.property(amounts, ([used, held, limit]) => {
        const state = quotaState('storage_bytes', {
          ...facts(),
          quotas: { ...QUOTAS, storage_bytes: limit },
          counters: { ...facts().counters, storageBytes: used },
          held: { ...facts().held, storageBytes: held },
        });
        expect(state.left).toBe(Math.max(0, limit - used - held));
        expect(fits(state, state.left + 1)).toBe(false);
        expect(fits(state, state.left)).toBe(used + held <= limit);
      }),
    );
  });
});

describe('what is used, as it is stored [T4]', () => {
  it('is what all counters say, of every format', () => {
    const numbers = fc.array(fc.maxSafeNat(), { minLength: 31, maxLength: 31 });
    fc.assert(
      fc.property(numbers, (given) => {
        for (const [tag, count] of Object.entries({ m1: 13, m2: 21, m3: 24, m4: 28, m5: 31 })) {
          const text = `${tag},${given.slice(-count).join(',')}`;
          expect(unpackCounters(text)).toMatchObject(unpackUse(text));
        }
      }),
    );
  });

  it.each(['', 'm6', `${NO_COUNTERS},0`, NO_COUNTERS.replace('m5,0,0,0', 'm5,0,0,x')])('is not %j', (text) => {
    expect(() => unpackUse(text)).toThrow(RangeError);
  });
});

describe('what is reserved, as it is stored [T4]', () => {
  it('is read to the last digit', () => {
    expect(unpackHeld('r1,1,22,333,999999999999999,55555')).toEqual({
      memoryBytes: 1,
      storageBytes: 22,
      transferBytes: 333,
      committedMemoryBytes: 999_999_999_999_999,
      committedStorageBytes: 55_555,
    });
  });

  it.each(['r1', 'r1,1,2,3', 'r2,1,2,3,4,5', 'r1,1,2,3,4,5,6', 'r1,1,2,3,4,x'])('is not %j', (text) => {
    expect(() => unpackHeld(text)).toThrow(RangeError);
  });

  it('names each resource by a letter of its own', () => {
    expect(new Set(Object.values(RESOURCE_CODES)).size).toBe(RESOURCES.length);
    for (const resource of RESOURCES) expect(resourceOfCode(RESOURCE_CODES[resource])).toBe(resource);
    for (const code of ['', 'n', 'x', 'toString']) expect(() => resourceOfCode(code)).toThrow(RangeError);
  });
});
