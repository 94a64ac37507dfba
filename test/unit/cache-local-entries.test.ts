import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StoredEntry } from '../../lib/cache/entry.ts';
import { createLocalEntries, LOCAL_ENTRY_OVERHEAD_BYTES, type LocalName } from '../../lib/cache/local/local-entries.ts';

const nameOf = (key: string, changes: Partial<LocalName> = {}): LocalName => ({
  tenantId: 'tenant-a',
  generation: 1,
  namespace: 'ns',
  key,
  ...changes,
});
const entryOf = (text: string, changes: Partial<StoredEntry> = {}): StoredEntry => ({
  meta: { content_type: 'text/plain' },
  etag: 'e'.repeat(22),
  expiresAtMs: null,
  freshUntilMs: null,
  stale: false,
  updatedAtMs: 0,
  ageMs: 0,
  rawBytes: text.length,
  value: Buffer.from(text),
  ...changes,
});
/** Of an entry named by one letter, besides its value: `{"content_type":"text/plain"}`, `ns` and the key. */
const AROUND_BYTES = LOCAL_ENTRY_OVERHEAD_BYTES + 29 + 2 + 1;

function memory(maxBytes = 100_000) {
  const clock = { ms: 0 };
  const entries = createLocalEntries({ maxBytes, now: () => clock.ms });
  /** A read that began and ended now. */
  const keep = (key: string, text: string, changes: Partial<StoredEntry> = {}) =>
    entries.keep(nameOf(key), { entry: entryOf(text, changes), validatedAtMs: clock.ms });
  const textOf = (key: string) => entries.find(nameOf(key))?.entry.value.toString();
  return { clock, entries, keep, textOf };
}

describe('entries in the memory of an instance [C7]', () => {
  it('are found as they were kept, and say when Redis was asked', () => {
    const { clock, entries } = memory();
    const meta = { content_type: 'a/b', tags: ['x', 'y'], attributes: { n: '1' }, version: '7' };
    entries.keep(nameOf('k'), { entry: entryOf('žluť', { meta, ageMs: 50 }), validatedAtMs: 10 });
    clock.ms = 30;
    expect(entries.find(nameOf('k'))).toEqual({
      entry: entryOf('žluť', { meta, ageMs: 70 }),
      validatedAtMs: 10,
    });
    expect(entries.find(nameOf('other'))).toBeNull();
  });

  it('are confirmed: with their times as they are now, for what is held, and not after a change', () => {
    const { clock, entries, keep, textOf } = memory();
    keep('k', 'v');
    clock.ms = 100;
    const { value, ...head } = entryOf('v', { expiresAtMs: 500, freshUntilMs: 90, stale: true, ageMs: 100 });
    entries.confirm(nameOf('k'), head, 95);
    expect(entries.find(nameOf('k'))).toEqual({ entry: { ...head, ageMs: 105, value }, validatedAtMs: 95 });
    entries.confirm(nameOf('k'), { ...head, etag: 'o'.repeat(22), expiresAtMs: 1 }, 100);
    entries.confirm(nameOf('none'), head, 100);
    expect([textOf('k'), textOf('none')]).toEqual(['v', undefined]);
    clock.ms = 110;
    entries.forget(nameOf('k'));
    keep('k', 'w');
    entries.confirm(nameOf('k'), { ...head, expiresAtMs: 1 }, 105);
    clock.ms = 120;
    keep('k', 'x');
    expect(textOf('k')).toBe('x');
  });

  it('are told apart by tenant, generation, namespace and key', () => {
    const { entries } = memory();
    entries.keep(nameOf('k'), { entry: entryOf('v'), validatedAtMs: 1 });
    const others = [{ tenantId: 'tenant-b' }, { generation: 2 }, { generation: 0 }, { namespace: 'n' }, { key: 'sk' }];
    expect(others.map((changes) => entries.find(nameOf('k', changes)))).toEqual(others.map(() => null));
    expect(entries.find(nameOf('k'))).not.toBeNull();
  });

  it('of an earlier generation go with the first of a later one, and do not come back', () => {
    const { entries } = memory();
    entries.keep(nameOf('a'), { entry: entryOf('v'), validatedAtMs: 1 });
    entries.keep(nameOf('b', { generation: 2 }), { entry: entryOf('v'), validatedAtMs: 1 });
    entries.keep(nameOf('c'), { entry: entryOf('v'), validatedAtMs: 1 });
    expect(entries.usage()).toEqual({ bytes: AROUND_BYTES + 1, entries: 1 });
    expect(entries.find(nameOf('c'))).toBeNull();
  });

  it('are not damaged by who gave them or got them', () => {
    const { entries } = memory();
    const given = entryOf('value', { meta: { content_type: 'a/b', tags: ['x'] } });
    entries.keep(nameOf('k'), { entry: given, validatedAtMs: 1 });
    given.value.fill(0);
    const got = entries.find(nameOf('k'));
    got?.entry.value.fill(0);
    const tags = got?.entry.meta.tags as string[];
    expect(() => tags.push('y')).toThrow(TypeError);
    expect(entries.find(nameOf('k'))?.entry.value.toString()).toBe('value');
    expect(entries.find(nameOf('k'))?.entry.meta.tags).toEqual(['x']);
  });

  it('are gone at the millisecond they expire', () => {
    const { clock, entries, keep, textOf } = memory();
    keep('k', 'v', { expiresAtMs: 100 });
    clock.ms = 99;
    expect(textOf('k')).toBe('v');
    clock.ms = 100;
    expect(textOf('k')).toBeUndefined();
    expect(entries.usage()).toEqual({ bytes: 0, entries: 0 });
  });

  it('are stale from the millisecond they say, and age by the clock of Redis', () => {
    const { clock, entries } = memory();
    const times = { updatedAtMs: 5_000, ageMs: 10, freshUntilMs: 5_040, expiresAtMs: 5_060 };
    entries.keep(nameOf('k'), { entry: entryOf('v', times), validatedAtMs: 0 });
    const at = (ms: number) => {
      clock.ms = ms;
      const found = entries.find(nameOf('k'));
      return found && [found.entry.ageMs, found.entry.stale];
    };
    expect([at(29), at(30), at(49), at(50)]).toEqual([[39, false], [40, true], [59, true], null]);
  });

  it('above an eighth of the memory are not kept, and neither is what they replace', () => {
    const { entries, keep, textOf } = memory(80_000);
    keep('k', 'small');
    keep('k', 'x'.repeat(10_000 - AROUND_BYTES));
    expect(entries.usage()).toEqual({ bytes: 10_000, entries: 1 });
    keep('k', 'x'.repeat(10_001 - AROUND_BYTES));
    expect(textOf('k')).toBeUndefined();
    expect(entries.usage()).toEqual({ bytes: 0, entries: 0 });
    const none = memory(0);
    none.keep('k', '');
    expect(none.entries.usage().entries).toBe(0);
  });

  it('are not kept of a read that began before they were forgotten', () => {
    const { clock, entries, textOf } = memory();
    clock.ms = 20;
    entries.forget(nameOf('k'));
    entries.keep(nameOf('k'), { entry: entryOf('old'), validatedAtMs: 19 });
    expect(textOf('k')).toBeUndefined();
    entries.keep(nameOf('k'), { entry: entryOf('new'), validatedAtMs: 21 });
    expect(textOf('k')).toBe('new');
    entries.forgetTenant('tenant-a');
    clock.ms = 30;
    entries.keep(nameOf('k'), { entry: entryOf('old'), validatedAtMs: 20 });
    expect(textOf('k')).toBeUndefined();
  });

  it('stay, when a read that began later but saw an earlier state answers after the write', () => {
    const { clock, entries, textOf } = memory();
    clock.ms = 10;
    entries.keep(nameOf('k'), { entry: entryOf('written', { updatedAtMs: 8 }), validatedAtMs: 5 });
    entries.keep(nameOf('k'), { entry: entryOf('before', { updatedAtMs: 1 }), validatedAtMs: 6 });
    expect(textOf('k')).toBe('written');
  });

  it('are replaced by a read that began after them, although the clock of Redis went back', () => {
    const { clock, entries, textOf } = memory();
    entries.keep(nameOf('k'), { entry: entryOf('first', { updatedAtMs: 9_000 }), validatedAtMs: 0 });
    clock.ms = 20;
    entries.keep(nameOf('k'), { entry: entryOf('second', { updatedAtMs: 1 }), validatedAtMs: 10 });
    expect(textOf('k')).toBe('second');
  });

  it('are those of a plain model: the least recently used go, and every byte is counted', () => {
    const letter = fc.constantFrom(...'abcdefghijklmnopqrst');
    const action = fc.oneof(
      { weight: 5, arbitrary: fc.record({ do: fc.constant('keep' as const), key: letter, size: fc.nat(3_000) }) },
      { weight: 4, arbitrary: fc.record({ do: fc.constant('find' as const), key: letter }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), key: letter }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('forgetTenant' as const), key: letter }) },
    );
    const tenantOf = (key: string) => (key < 'k' ? 'tenant-a' : 'tenant-b');
    fc.assert(
      fc.property(
        fc.array(action, { minLength: 40, maxLength: 200, size: 'max' }),
        fc.integer({ min: 9_000, max: 40_000 }),
        (actions, maxBytes) => {
          const { clock, entries } = memory(maxBytes);
          const named = (key: string) => nameOf(key, { tenantId: tenantOf(key) });
          /** Least recently used first. */
          let model: { readonly key: string; readonly bytes: number }[] = [];
          const without = (key: string) => model.filter((kept) => kept.key !== key);
          const total = () => model.reduce((sum, kept) => sum + kept.bytes, 0);
          for (const act of actions) {
            clock.ms++;
            if (act.do === 'keep') {
              const bytes = AROUND_BYTES + act.size;
              entries.keep(named(act.key), { entry: entryOf('x'.repeat(act.size)), validatedAtMs: clock.ms });
              model = bytes > maxBytes / 8 ? without(act.key) : [...without(act.key), { key: act.key, bytes }];
              while (total() > maxBytes) model.shift();
            } else if (act.do === 'find') {
              const known = model.find((kept) => kept.key === act.key);
              const found = entries.find(named(act.key));
              expect(found?.entry.value.length).toBe(known === undefined ? undefined : known.bytes - AROUND_BYTES);
              if (known !== undefined) model = [...without(act.key), known];
            } else if (act.do === 'forget') {
              entries.forget(named(act.key));
              model = without(act.key);
            } else {
              entries.forgetTenant(tenantOf(act.key));
              model = model.filter((kept) => tenantOf(kept.key) !== tenantOf(act.key));
            }
            expect(entries.usage()).toEqual({ bytes: total(), entries: model.length });
          }
        },
      ),
    );
  });
});
