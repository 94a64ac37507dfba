import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGlob, MAX_GLOB_CHARACTERS } from '../../lib/cache/invalidation/glob.ts';
import { InvalidRequestError } from '../../lib/errors.ts';

/** A pattern as a test makes it: what it is made of, and how it is written. */
type Piece =
  | { readonly kind: 'run' }
  | { readonly kind: 'one' }
  | { readonly kind: 'char'; readonly char: string }
  | { readonly kind: 'set'; readonly negated: boolean; readonly members: readonly (readonly [string, string])[] };

const SPECIAL = /[*?[\]\\!^-]/u;
const written = (char: string) => (SPECIAL.test(char) ? `\\${char}` : char);

function patternOf(pieces: readonly Piece[]): string {
  const texts = pieces.map((piece) => {
    if (piece.kind === 'run') return '*';
    if (piece.kind === 'one') return '?';
    if (piece.kind === 'char') return written(piece.char);
    const members = piece.members.map(([a, b]) => (a === b ? written(a) : `${written(a)}-${written(b)}`));
    return `[${piece.negated ? '!' : ''}${members.join('')}]`;
  });
  return texts.join('');
}

/** By the definition alone: tries every way. */
function naive(pieces: readonly Piece[], chars: readonly string[]): boolean {
  const [piece, ...rest] = pieces;
  if (piece === undefined) return chars.length === 0;
  if (piece.kind === 'run') return [...chars, ''].some((_char, skipped) => naive(rest, chars.slice(skipped)));
  const [char, ...others] = chars;
  return char !== undefined && isOne(piece, char) && naive(rest, others);
}

function isOne(piece: Exclude<Piece, { kind: 'run' }>, char: string): boolean {
  if (piece.kind === 'char') return piece.char === char;
  if (piece.kind !== 'set') return true;
  const order = (text: string) => text.codePointAt(0) ?? 0;
  const isMember = piece.members.some(([a, b]) => order(a) <= order(char) && order(char) <= order(b));
  return isMember !== piece.negated;
}

// Few characters, so that much matches; some of them special, some of two UTF-16 units.
const char = fc.constantFrom('a', 'b', 'c', '*', '?', '[', ']', '\\', '!', '^', '-', ':', 'ž', '🙂', '🙃', '\ue000');
const member = fc
  .tuple(char, char)
  .map(([a, b]) => ((a.codePointAt(0) ?? 0) <= (b.codePointAt(0) ?? 0) ? ([a, b] as const) : ([b, a] as const)));
const piece: fc.Arbitrary<Piece> = fc.oneof(
  { weight: 4, arbitrary: char.map((char) => ({ kind: 'char' as const, char })) },
  { weight: 3, arbitrary: fc.constant({ kind: 'run' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'one' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('set' as const),
      negated: fc.boolean(),
      members: fc.array(member, { minLength: 1, maxLength: 3 }),
    }),
  },
);
const pieces = fc.array(piece, { minLength: 1, maxLength: 8 });
const chars = fc.array(char, { maxLength: 10 });

/** A key that the pieces match, by choice of `pick`. */
const made = (list: readonly Piece[], pick: readonly string[]): string[] =>
  list.flatMap((one, i) => {
    if (one.kind === 'run') return pick.slice(0, i % 3);
    if (one.kind === 'char') return [one.char];
    return one.kind === 'one' ? ['x'] : [one.negated ? 'x' : (one.members[0]?.[0] ?? '')];
  });

describe('globs over keys [C8]', () => {
  it.each([
    ['user:*', 'user:', 'user:1', true],
    ['user:*', 'user:', 'users:1', false],
    ['*', '', 'anything', true],
    ['a', 'a', 'a', true],
    ['a', 'a', 'ab', false],
    ['a*b*c', 'a', 'a-b-b-c', true],
    ['a*b*c', 'a', 'a-c-b', false],
    ['a?c', 'a', 'a🙂c', true],
    ['a?c', 'a', 'ac', false],
    ['v[1-3]:x', 'v', 'v2:x', true],
    ['v[1-3]:x', 'v', 'v4:x', false],
    ['v[!1-3]', 'v', 'v4', true],
    ['[!a]', '', 'a', false],
    ['[a-]', '', '-', true],
    ['[-a]', '', '-', true],
    ['[a\\]]', '', ']', true],
    ['[a!]', '', '!', true],
    ['\\*\\?[*]', '*?', '*?*', true],
    ['\\*', '*', 'x', false],
    ['a]', 'a]', 'a]', true],
    ['🙂*', '🙂', '🙂🙃', true],
    ['[🙂-🙃]', '', '🙃', true],
    ['a**?', 'a', 'a', false],
    ['(a+)+$', '(a+)+$', 'aaaa', false],
  ])('%s begins with "%s"; with %s it gives %s', (pattern, literalPrefix, key, expected) => {
    const glob = compileGlob(pattern);
    expect([glob.literalPrefix, glob.matches(key)]).toEqual([literalPrefix, expected]);
  });

  it('agree with the definition, whatever the pattern and the key', () => {
    fc.assert(
      fc.property(pieces, chars, (list, key) => {
        const glob = compileGlob(patternOf(list));
        for (const candidate of [key, made(list, key)]) {
          expect(glob.matches(candidate.join(''))).toBe(naive(list, candidate));
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it('match nothing that does not begin with their literal prefix', () => {
    fc.assert(
      fc.property(pieces, chars, (list, pick) => {
        const glob = compileGlob(patternOf(list));
        const key = made(list, pick).join('');
        if (glob.matches(key)) expect(key.startsWith(glob.literalPrefix)).toBe(true);
      }),
    );
  });

  it('take no more steps than pattern × key', () => {
    const steps = (pattern: string, key: string) => compileGlob(pattern).steps(key);
    const bound = (pattern: string, key: string) => (pattern.length + 1) * (key.length + 1);
    expect(steps('*a*a*a*a*b', 'a'.repeat(256))).toBeLessThan(1_100);
    for (const pattern of [
      `*${'a'.repeat(200)}b`,
      `${'*a'.repeat(127)}*b`,
      `${'*?'.repeat(127)}b`,
      `*${'[!b]'.repeat(60)}b`,
    ]) {
      const key = 'a'.repeat(1_024);
      expect(compileGlob(pattern).matches(key)).toBe(false);
      expect(steps(pattern, key)).toBeLessThan(bound(pattern, key));
    }
    fc.assert(
      fc.property(pieces, chars, (list, key) => {
        const [pattern, text] = [patternOf(list), key.join('')];
        expect(steps(pattern, text)).toBeLessThanOrEqual(bound(pattern, text));
      }),
    );
  });

  it.each([
    [''],
    ['[abc'],
    ['['],
    ['[!'],
    ['[]'],
    ['[!]'],
    ['[]a]x['],
    ['[a-'],
    ['[\\'],
    ['[z-a]'],
    ['[^a]'],
    ['a\\'],
    ['\ud83d'],
    ['a'.repeat(MAX_GLOB_CHARACTERS + 1)],
  ])('refuse %j, and say why in an issue without the pattern', (pattern) => {
    const error = (() => {
      try {
        return compileGlob(pattern, 'body.glob');
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect((error as InvalidRequestError).issues).toEqual([
      { field: 'body.glob', message: expect.stringMatching(/^must /) },
    ]);
  });

  it('take the longest pattern there may be', () => {
    expect(compileGlob('a'.repeat(MAX_GLOB_CHARACTERS)).literalPrefix).toHaveLength(MAX_GLOB_CHARACTERS);
  });
});
