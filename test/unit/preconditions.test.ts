import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IfMatchRev, IfMatchVersion, IfNoneMatchVersion } from '../../lib/http/number-preconditions.ts';
import { IfMatch, IfNoneMatch } from '../../lib/http/preconditions.ts';

const A = 'a'.repeat(22);
const B = 'B_-9'.repeat(5).concat('zz');

describe('If-Match and If-None-Match [C10]', () => {
  it('take *, or a list of ETags', () => {
    expect(IfMatch.parse(' * ')).toBe('*');
    expect(IfMatch.parse(`"${A}"`)).toEqual([A]);
    expect(IfMatch.parse(` "${A}" ,"x" ,\t"${B}" `)).toEqual([A, B]);
  });

  it('compare strongly for writes, weakly for reads', () => {
    expect(IfMatch.parse(`W/"${A}", "${B}"`)).toEqual([B]);
    expect(IfNoneMatch.parse(`W/"${A}", "${B}"`)).toEqual([A, B]);
  });

  it('hand on nothing but digests, whatever stands between the quotes', () => {
    const opaque = fc.string({ unit: fc.constantFrom(...'abz09_-,*\\{}:'), maxLength: 30 });
    fc.assert(
      fc.property(fc.array(opaque, { minLength: 1, maxLength: 20 }), (tags) => {
        const parsed = IfNoneMatch.parse(tags.map((tag) => `"${tag}"`).join(', '));
        expect(parsed).toEqual(tags.filter((tag) => /^[\w-]{22}$/.test(tag)));
      }),
    );
  });

  it('refuse what is neither, in time that grows with its length only', () => {
    const parts = fc.constantFrom('"', ',', ' ', 'W/', '*', 'a', '\t', '""');
    const hostile = fc.array(parts, { maxLength: 64 }).map((unit) => unit.join('').repeat(64).slice(0, 4_096));
    fc.assert(
      fc.property(hostile, (value) => {
        const startedAt = performance.now();
        IfMatch.safeParse(`${value}"`);
        expect(performance.now() - startedAt).toBeLessThan(50);
      }),
    );
    expect(IfMatch.safeParse(`"${'a'.repeat(4_096)}"`).success).toBe(false);
  });
});

describe('the same of what has a number as its ETag [S2 A4]', () => {
  it('names revisions of a tenant, and nothing that is none', () => {
    expect(IfMatchRev.parse('"3", W/"4", "05", "x", "0"')).toEqual([3, 0]);
    expect(IfMatchRev.parse('*')).toBe('*');
  });

  it('names one version of a session, or any', () => {
    expect(IfMatchVersion.parse('"3"')).toBe(3);
    expect(IfMatchVersion.parse(' * ')).toBeUndefined();
    for (const none of ['W/"3"', '"x"', '""', '"03"', '"9999999999999999"']) expect(IfMatchVersion.parse(none)).toBe(0);
    for (const bad of ['3', '', '"3', '"3", "4"']) expect(IfMatchVersion.safeParse(bad).success).toBe(false);
  });

  it('names versions the caller has', () => {
    expect(IfNoneMatchVersion.parse('"3", W/"4", "x"')).toEqual([3, 4]);
    expect(IfNoneMatchVersion.parse('*')).toBe('*');
  });
});
