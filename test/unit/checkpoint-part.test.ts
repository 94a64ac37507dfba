import { describe, expect, it } from 'vitest';
import { NO_EPOCHS } from '../../lib/checkpoints/format/invalidation-epochs.ts';
import { decodePart, encodePart, joinParts, type PartLine } from '../../lib/checkpoints/format/manifest-part.ts';
import { CorruptValueError } from '../../lib/errors.ts';
import { objectOf, tenantOf } from '../support/checkpoint-manifests.ts';

const { bytes: _bytes, counts: _counts, runs, ...facts } = tenantOf(1);
const begun = (changes: Partial<Extract<PartLine, { part: 'begun' }>> = {}): PartLine => ({
  part: 'begun',
  ...facts,
  kept: [],
  run: { started_at_ms: 5, epochs: NO_EPOCHS },
  ...changes,
});
const objects = (...numbers: readonly number[]): PartLine => ({
  part: 'objects',
  tenant: facts.tenant,
  objects: numbers.map((number) => objectOf(number)),
});
const counts = { cache: 2, session: 1 };
const ended: PartLine = { part: 'ended', tenant: facts.tenant, counts };
const gone: PartLine = { part: 'gone', tenant: facts.tenant };

describe('parts of a checkpoint [K1 K2 K4]', () => {
  it('give back what was written', () => {
    const lines = [begun({ kept: runs }), objects(1, 2), ended, gone];
    expect(decodePart(encodePart(lines))).toEqual(lines);
  });

  it('are refused when a bit flips, or they are cut', () => {
    const bytes = encodePart([objects(1), ended]);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => decodePart(flipped)).toThrow(CorruptValueError);
    }
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodePart(bytes.subarray(0, length))).toThrow(CorruptValueError);
  });

  it('make a tenant of what several of them have of it', () => {
    const joined = joinParts([
      [begun({ kept: runs, state: objectOf(9) }), objects(2)],
      [objects(3), objects()],
      [objects(4), ended],
    ]);
    expect(joined).toEqual([
      {
        ...facts,
        state: objectOf(9),
        counts,
        bytes: 500,
        runs: [...runs, { started_at_ms: 5, epochs: NO_EPOCHS, objects: [2, 3, 4].map((number) => objectOf(number)) }],
      },
    ]);
  });

  it('take over the runs of a tenant that did not change', () => {
    expect(joinParts([[begun({ kept: runs, run: null }), ended]])).toEqual([{ ...facts, counts, bytes: 100, runs }]);
  });

  it('begin a tenant again, and leave one out that is gone', () => {
    const [again] = joinParts([
      [begun(), objects(1)],
      [begun({ generation: 2 }), objects(2), ended],
    ]);
    expect(again).toMatchObject({ generation: 2, runs: [{ objects: [objectOf(2)] }] });
    expect(joinParts([[begun(), objects(1)], [gone]])).toEqual([]);
    expect(joinParts([])).toEqual([]);
  });

  it.each([
    ['have no beginning', [objects(1)]],
    ['have no end', [begun(), objects(1)]],
    ['go on behind the end', [begun(), ended, objects(1)]],
    ['end twice', [begun(), ended, ended]],
    ['have objects of what did not change', [begun({ kept: runs, run: null }), objects(1), ended]],
    ['have no runs', [begun({ run: null }), ended]],
  ])('make no checkpoint when they %s', (_what, lines) => {
    expect(() => joinParts([lines])).toThrow(CorruptValueError);
  });
});
