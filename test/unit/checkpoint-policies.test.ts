import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CompactionFacts, MAX_RUNS, whyNewBase } from '../../lib/checkpoints/format/compaction-policy.ts';
import { chooseRetired, type KeptCheckpoint, SAFETY_KEPT_MS } from '../../lib/checkpoints/format/retention-policy.ts';
import { objectOf } from '../support/checkpoint-manifests.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A Saturday. */
const NOW = Date.parse('2026-11-21T12:00:00.000Z');
const none = { hourly: 0, daily: 0, weekly: 0 };

const at = (startedAtMs: number, type: KeptCheckpoint['type'] = 'scheduled'): KeptCheckpoint => ({
  id: `ckpt-${String(startedAtMs).padStart(26, '0')}`,
  startedAtMs,
  type,
});
/** Each so much before now. */
const aged = (...ms: readonly number[]) => ms.map((each) => at(NOW - each));

describe('retention of checkpoints [K2]', () => {
  it('keeps the newest, as many as it says', () => {
    const all = aged(5, 4, 3, 2, 1);
    expect(chooseRetired(all, { ladder: { max: 3, ...none }, nowMs: NOW })).toEqual(aged(5, 4));
    expect(chooseRetired(all, { ladder: { max: 5, ...none }, nowMs: NOW })).toEqual([]);
  });

  it('keeps the newest of each of the last hours, days and weeks beside them', () => {
    const all = aged(
      0,
      10 * 60_000,
      2 * HOUR_MS,
      2 * HOUR_MS + 60_000,
      DAY_MS,
      DAY_MS + 60_000,
      8 * DAY_MS,
      9 * DAY_MS,
    );
    const retired = (ladder: object) => chooseRetired(all, { ladder: { max: 1, ...none, ...ladder }, nowMs: NOW });
    const kept = (ladder: object) =>
      all.filter((each) => !retired(ladder).includes(each)).map(({ startedAtMs }) => NOW - startedAtMs);
    expect(kept({ hourly: 3 })).toEqual([0, 10 * 60_000, 2 * HOUR_MS]);
    expect(kept({ daily: 2 })).toEqual([0, DAY_MS]);
    expect(kept({ weekly: 2 })).toEqual([0, 8 * DAY_MS]);
    expect(kept({ hourly: 1, daily: 3, weekly: 9 })).toEqual([0, DAY_MS, 8 * DAY_MS]);
  });

  it('begins weeks on Monday, UTC', () => {
    const [sunday, monday] = [at(Date.parse('2026-11-15T23:59:59.999Z')), at(Date.parse('2026-11-16T00:00:00.000Z'))];
    const ladder = { max: 1, ...none, weekly: 2 };
    expect(chooseRetired([at(NOW), monday, sunday], { ladder, nowMs: NOW })).toEqual([monday]);
  });

  it('keeps one made before a restore for a day, however many are newer', () => {
    const safety = (ms: number) => at(NOW - ms, 'safety');
    const all = [...aged(1, 2), safety(SAFETY_KEPT_MS - 1), safety(SAFETY_KEPT_MS)];
    expect(chooseRetired(all, { ladder: { max: 1, ...none }, nowMs: NOW })).toEqual([
      safety(SAFETY_KEPT_MS),
      ...aged(2),
    ]);
  });

  it('takes none of all tenants for one made before a restore, which has some of them', () => {
    const safeties = [1, 2, 3].map((ms) => at(NOW - ms, 'safety'));
    const all = [...safeties, ...aged(4, 5, DAY_MS, DAY_MS + 1)];
    const retired = (ladder: object) => chooseRetired(all, { ladder: { max: 1, ...none, ...ladder }, nowMs: NOW });
    expect(retired({ max: 2 })).toEqual(aged(DAY_MS + 1, DAY_MS));
    expect(retired({ daily: 2 })).toEqual(aged(DAY_MS + 1, 5));
  });

  it('never removes the newest, keeps what it says, and says the same again', () => {
    const some = fc.uniqueArray(
      fc.record({
        age: fc.integer({ min: 0, max: 60 * DAY_MS }),
        type: fc.constantFrom('manual', 'scheduled', 'shutdown', 'safety'),
      }),
      { selector: ({ age }) => age, minLength: 1, maxLength: 40 },
    );
    const ladders = fc.record({
      max: fc.integer({ min: 0, max: 12 }),
      hourly: fc.nat(5),
      daily: fc.nat(5),
      weekly: fc.nat(5),
    });
    fc.assert(
      fc.property(some, ladders, (ages, ladder) => {
        const all = ages.map(({ age, type }) => at(NOW - age, type as KeptCheckpoint['type']));
        const retired = chooseRetired(all, { ladder, nowMs: NOW });
        const kept = all.filter((each) => !retired.includes(each));
        const whole = all.filter(({ type }) => type !== 'safety');
        const newestFirst = whole.toSorted((a, b) => b.startedAtMs - a.startedAtMs);
        for (const each of newestFirst.slice(0, Math.max(1, ladder.max))) expect(kept).toContain(each);
        expect(chooseRetired(kept, { ladder, nowMs: NOW })).toEqual([]);
        expect(chooseRetired(all.toReversed(), { ladder, nowMs: NOW })).toEqual(retired);
      }),
    );
  });
});

describe('whether all of a tenant is written anew [K2]', () => {
  const runs = (...bytes: readonly number[]) =>
    bytes.map((each, n) => ({ objects: each === 0 ? [] : [objectOf(n, each)] }));
  const facts = (changes: Partial<CompactionFacts>): CompactionFacts => ({
    before: { generation: 1, cache: true, runs: runs(100, 50) },
    generation: 1,
    cache: true,
    feedReachesBack: true,
    ...changes,
  });

  it.each([
    ['it is in none', { before: null }, 'first'],
    ['its generation is another', { generation: 2 }, 'generation'],
    ['the cache is left out now', { cache: false }, 'cache'],
    ['its feed does not reach back', { feedReachesBack: false }, 'feed'],
    [
      'there would be too many runs',
      { before: { generation: 1, cache: true, runs: runs(1000, ...Array(MAX_RUNS - 1).fill(1)) } },
      'runs',
    ],
    ['the later runs have more than half', { before: { generation: 1, cache: true, runs: runs(100, 50, 1) } }, 'bytes'],
    ['there was nothing, and then something', { before: { generation: 1, cache: true, runs: runs(0, 1) } }, 'bytes'],
  ] as const)('it is when %s', (_when, changes, reason) => {
    expect(whyNewBase(facts(changes))).toBe(reason);
  });

  it('it is not while the later runs have half of the base at most', () => {
    expect(whyNewBase(facts({}))).toBeNull();
    expect(whyNewBase(facts({ before: { generation: 1, cache: true, runs: runs(0) } }))).toBeNull();
    expect(
      whyNewBase(facts({ before: { generation: 1, cache: true, runs: runs(1000, ...Array(MAX_RUNS - 2).fill(1)) } })),
    ).toBeNull();
  });
});
