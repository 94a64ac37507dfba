import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CheckpointLine,
  type CheckpointRecord,
  isRemoval,
  orderOf,
} from '../../lib/checkpoints/format/checkpoint-line.ts';
import { type InvalidationEpochs, NO_EPOCHS } from '../../lib/checkpoints/format/invalidation-epochs.ts';
import { mergeRuns } from '../../lib/checkpoints/format/merged-run.ts';
import { readRun } from '../../lib/checkpoints/format/run-reader.ts';
import { CorruptValueError } from '../../lib/errors.ts';
import {
  cacheLine,
  coldLine,
  collect,
  createObjectMemory,
  hotLine,
  removalOf,
  someLines,
  sortedLines,
  storedEntry,
} from '../support/checkpoint-lines.ts';

async function* from<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
const runOf = (lines: readonly CheckpointLine[], epochs: InvalidationEpochs = NO_EPOCHS) => ({
  epochs,
  lines: from(lines),
});

/** What was there, run by run. */
function modelOf(runs: readonly (readonly CheckpointLine[])[]): readonly CheckpointRecord[] {
  const there = new Map<string, CheckpointRecord>();
  for (const line of runs.flat()) {
    if (isRemoval(line)) there.delete(orderOf(line));
    else there.set(orderOf(line), line);
  }
  return sortedLines([...there.values()]);
}

describe('the runs of a tenant, merged [K2 K3]', () => {
  it('are what was there in the end, in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(someLines, { maxLength: 5 }), async (runs) => {
        const merged = await collect(mergeRuns(runs.map((lines) => runOf(lines))));
        expect(merged).toEqual(modelOf(runs));
      }),
      { numRuns: 300 },
    );
  });

  it('are the same read from their objects', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(someLines, { maxLength: 4 }), async (runs) => {
        const memory = createObjectMemory();
        const written = await Promise.all(runs.map((lines, at) => memory.write(lines, at % 2 === 0)));
        const merged = mergeRuns(
          written.map(({ objects }) => ({ epochs: NO_EPOCHS, lines: readRun(objects, memory.source) })),
        );
        expect(await collect(merged)).toEqual(modelOf(runs));
      }),
      { numRuns: 30 },
    );
  });

  it('let a session move to S3 and back', async () => {
    const [hot, cold, back] = [
      hotLine(1, { h: 's1' }, 'ada'),
      coldLine(1, 's1,stub', 'ada'),
      hotLine(1, { h: 's1,2' }, 'ada'),
    ];
    expect(await collect(mergeRuns([runOf([hot]), runOf([cold])]))).toEqual([cold]);
    expect(await collect(mergeRuns([runOf([hot]), runOf([cold]), runOf([back])]))).toEqual([back]);
    expect(await collect(mergeRuns([runOf([hot]), runOf([removalOf(hot)]), runOf([back])]))).toEqual([back]);
    expect(await collect(mergeRuns([runOf([hot]), runOf([cold]), runOf([removalOf(cold)])]))).toEqual([]);
  });

  it('leave out what was invalidated since, by seq, with everything, a namespace or a tag', async () => {
    const base = [
      cacheLine('a', storedEntry(4)),
      cacheLine('b', storedEntry(6)),
      cacheLine('tagged', storedEntry(6, ['x', 't'])),
      cacheLine('a', storedEntry(6), 'other'),
      cacheLine('tagged', storedEntry(8, ['t']), 'other'),
    ];
    const keysWith = async (epochs: Partial<InvalidationEpochs>, later: readonly CheckpointLine[] = []) =>
      (await collect(mergeRuns([runOf(sortedLines(base)), runOf(later, { ...NO_EPOCHS, ...epochs })]))).map((line) =>
        line.kind === 'cache' ? `${line.namespace}:${line.key}` : line.id,
      );
    expect(await keysWith({})).toHaveLength(5);
    expect(await keysWith({ all: 4 })).toEqual(['ns:b', 'ns:tagged', 'other:a', 'other:tagged']);
    expect(await keysWith({ all: 7 })).toEqual(['other:tagged']);
    expect(await keysWith({ namespaces: { ns: 6 } })).toEqual(['other:a', 'other:tagged']);
    expect(await keysWith({ tags: { t: 7 } })).toEqual(['ns:a', 'ns:b', 'other:a', 'other:tagged']);
    expect(await keysWith({ tags: { t: 8, more: 9 } })).toEqual(['ns:a', 'ns:b', 'other:a']);
    expect(await keysWith({ namespaces: { ns: 6 } }, [cacheLine('a', storedEntry(7))])).toEqual([
      'ns:a',
      'other:a',
      'other:tagged',
    ]);
  });

  it('does not show an older entry in the place of one that is hidden', async () => {
    const runs = [
      runOf([cacheLine('a', storedEntry(3))]),
      runOf([cacheLine('a', storedEntry(6, ['t']))]),
      runOf([], { ...NO_EPOCHS, tags: { t: 6 } }),
    ];
    expect(await collect(mergeRuns(runs))).toEqual([]);
  });

  it('hides by tags of any name', async () => {
    const epochs = { ...NO_EPOCHS, tags: Object.fromEntries([['__proto__', 5]]) };
    const lines = [
      cacheLine('a', storedEntry(4)),
      cacheLine('b', storedEntry(4, ['__proto__'])),
      cacheLine('c', storedEntry(4, ['toString'])),
    ];
    expect((await collect(mergeRuns([runOf(lines, epochs)]))).map((line) => orderOf(line).slice(-1))).toEqual([
      'a',
      'c',
    ]);
  });

  it('never hides sessions, nor what was damaged in Redis: it comes back as it was', async () => {
    const lines = [cacheLine('damaged', 'c2,'), coldLine(1, 's1')];
    expect(await collect(mergeRuns([runOf(lines, { ...NO_EPOCHS, all: 99 })]))).toEqual(lines);
  });

  it('end what they read, whoever stops, and tell what it throws', async () => {
    let open = 0;
    const watched = async function* (lines: readonly CheckpointLine[], error?: Error) {
      open++;
      try {
        yield* lines;
        if (error !== undefined) throw error;
      } finally {
        open--;
      }
    };
    const lines = [cacheLine('a', 'v'), cacheLine('b', 'v')];
    const two = (error?: Error) => [
      { epochs: NO_EPOCHS, lines: watched(lines) },
      { epochs: NO_EPOCHS, lines: watched(lines, error) },
    ];
    for await (const _record of mergeRuns(two())) break;
    expect(open).toBe(0);
    await expect(collect(mergeRuns(two(new CorruptValueError('cut'))))).rejects.toThrow('cut');
    expect(open).toBe(0);
  });
});
