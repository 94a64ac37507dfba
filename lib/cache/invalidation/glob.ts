/**
 * Globs over keys: `*` any run of characters, `?` one character, `[abc]`, `[a-z]`, `[!a-z]` one of a set or outside of it, `\x`
 * the character x itself. A character is a code point. No RegExp takes part: matching takes at most
 * (characters of the pattern + 1) × (characters of the key + 1) steps, whatever they are.
 */
import { InvalidRequestError } from '../../errors.ts';

/** Characters (UTF-16 units) of the longest pattern. */
export const MAX_GLOB_CHARACTERS = 256;

export interface Glob {
  /** What every matching key begins with, unescaped; empty: the pattern begins with a wildcard. */
  readonly literalPrefix: string;
  matches(key: string): boolean;
  /** Steps that {@link matches} takes with this key: for tests and measurements. */
  steps(key: string): number;
}

type Range = readonly [first: number, last: number];
/** One position of the pattern: a code point, any one, one of a set; or any run of them. */
type Token = number | 'one' | 'run' | { readonly negated: boolean; readonly ranges: readonly Range[] };

/**
 * @param field how an issue names the pattern.
 * @throws {InvalidRequestError} the pattern is empty, too long or unfinished; or its set is empty or runs backwards.
 */
export function compileGlob(pattern: string, field = 'pattern'): Glob {
  const tokens = parse(pattern, field);
  const wildcardAt = tokens.findIndex((token) => typeof token !== 'number');
  const literals = wildcardAt < 0 ? tokens : tokens.slice(0, wildcardAt);
  return {
    literalPrefix: literals.map((token) => String.fromCodePoint(token as number)).join(''),
    matches: (key) => walk(tokens, key).matches,
    steps: (key) => walk(tokens, key).steps,
  };
}

/**
 * Goes through the key once; when a position does not fit, the last run takes one character more. Runs before it need not be
 * tried again: what they leave for the last one could only be less.
 */
function walk(tokens: readonly Token[], key: string): { readonly matches: boolean; readonly steps: number } {
  let token = 0;
  let at = 0;
  let run = -1;
  let runEnd = 0;
  let steps = 0;
  while (at < key.length) {
    steps++;
    const expected = tokens[token];
    const point = key.codePointAt(at) as number;
    if (expected === 'run') {
      run = token++;
      runEnd = at;
    } else if (expected !== undefined && fits(expected, point)) {
      token++;
      at += widthOf(point);
    } else if (run >= 0) {
      runEnd += widthOf(key.codePointAt(runEnd) as number);
      at = runEnd;
      token = run + 1;
    } else return { matches: false, steps };
  }
  while (tokens[token] === 'run') token++;
  return { matches: token === tokens.length, steps };
}

const widthOf = (point: number) => (point > 0xffff ? 2 : 1);

function fits(token: Exclude<Token, 'run'>, point: number): boolean {
  if (typeof token === 'number') return token === point;
  if (token === 'one') return true;
  return token.negated !== token.ranges.some(([first, last]) => first <= point && point <= last);
}

function parse(pattern: string, field: string): readonly Token[] {
  const refuse = (message: string) =>
    new InvalidRequestError('The pattern cannot be used', { issues: [{ field, message }] });
  if (pattern.length === 0 || pattern.length > MAX_GLOB_CHARACTERS || !pattern.isWellFormed())
    throw refuse(`must be 1 to ${MAX_GLOB_CHARACTERS} characters of well-formed text`);
  const chars = [...pattern];
  const tokens: Token[] = [];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at];
    if (char === '*') {
      if (tokens.at(-1) !== 'run') tokens.push('run');
    } else if (char === '?') tokens.push('one');
    else if (char === '[') {
      const set = parseSet(chars, at + 1, refuse);
      tokens.push(set);
      at = set.end;
    } else {
      if (char === '\\') at++;
      tokens.push(pointAt(chars, at, refuse));
    }
  }
  return tokens;
}

type Refuse = (message: string) => Error;

/** A set, from behind its `[` to its `]`. */
function parseSet(chars: readonly string[], from: number, refuse: Refuse) {
  const negated = chars[from] === '!';
  if (chars[from] === '^') throw refuse('must begin a negated set with [!, or write \\^ for the character itself');
  const ranges: Range[] = [];
  let at = negated ? from + 1 : from;
  const next = () => {
    if (chars[at] === '\\') at++;
    return pointAt(chars, at++, refuse);
  };
  while (chars[at] !== ']') {
    const first = next();
    const isRange = chars[at] === '-' && chars[at + 1] !== ']';
    if (isRange) at++;
    const last = isRange ? next() : first;
    if (last < first) throw refuse('must not have a range that runs backwards, as [z-a]');
    ranges.push([first, last]);
  }
  if (ranges.length === 0) throw refuse('must not have an empty set; write \\] for the character itself');
  return { negated, ranges, end: at };
}

function pointAt(chars: readonly string[], at: number, refuse: Refuse): number {
  const point = chars[at]?.codePointAt(0);
  if (point === undefined) throw refuse('must not end within a set or after a backslash');
  return point;
}
