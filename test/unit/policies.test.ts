import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allows, allowsBelow, judge, matches, type PolicySet } from '../../lib/gate/policies.ts';

const access = { keyId: 'key-1', action: 'cache:read', resource: 'cache/orders/42' };
const policies = (fallback: 'allow' | 'deny', ...statements: PolicySet['statements']): PolicySet => ({
  default: fallback,
  statements,
});
const say = (effect: 'allow' | 'deny', actions: string, resources: string, keys?: readonly string[]) => ({
  effect,
  actions: [actions],
  resources: [resources],
  keys,
});

describe('policies [T3]', () => {
  it.each([
    ['none', null, true],
    ['a default', policies('deny'), false],
    ['an allowance', policies('deny', say('allow', 'cache:*', 'cache/*')), true],
    ['an allowance of something else', policies('deny', say('allow', 'cache:write', '*')), false],
    ['a denial', policies('allow', say('deny', '*', 'cache/orders/*')), false],
    ['a denial before an allowance', policies('allow', say('deny', '*', '*'), say('allow', '*', '*')), false],
    ['a denial after an allowance', policies('allow', say('allow', '*', '*'), say('deny', '*', '*')), false],
    ['a denial of another key', policies('allow', say('deny', '*', '*', ['key-2'])), true],
    ['an allowance of this key', policies('deny', say('allow', '*', '*', ['key-2', 'key-1'])), true],
  ])('%s', (_name, set, allowed) => {
    expect(allows(set, access)).toBe(allowed);
  });
});

it('the verdict names the statement that decided [T3]', () => {
  const set = policies(
    'deny',
    say('allow', 'cache:*', '*'),
    say('allow', '*', '*'),
    say('deny', '*', 'cache/orders/*'),
  );
  expect(judge(set, access)).toEqual({ allowed: false, statement: 2 });
  expect(judge(set, { ...access, resource: 'cache/x' })).toEqual({ allowed: true, statement: 0 });
  expect(judge(policies('deny'), access)).toEqual({ allowed: false, statement: null });
  expect(judge(null, access)).toEqual({ allowed: true, statement: null });
});

describe('patterns [T3]', () => {
  const pieces = fc.array(fc.stringMatching(/^[ab/]{0,3}$/), { minLength: 1, maxLength: 5 });
  const texts = fc.stringMatching(/^[ab/]{0,12}$/);

  it('match as the regular expression of the same meaning does', () => {
    fc.assert(
      fc.property(pieces, texts, (parts, text) => {
        expect(matches(parts.join('*'), text)).toBe(new RegExp(`^${parts.join('[^]*')}$`).test(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('with many stars cost no more than a look at the text', () => {
    expect(matches(`${'*a'.repeat(10_000)}b`, 'a'.repeat(100_000))).toBe(false);
  });
});

describe('policies about all that begins so [T3 C8]', () => {
  const below = (set: PolicySet | null, resource = 'cache/orders/') => allowsBelow(set, { ...access, resource });

  it.each([
    ['no policies', null, true],
    ['a denial of a part', policies('allow', say('deny', '*', 'cache/orders/1*')), false],
    ['a denial of one', policies('allow', say('deny', '*', 'cache/orders/1')), false],
    ['a denial of more', policies('allow', say('deny', '*', 'cache/*')), false],
    ['a denial that may meet it', policies('allow', say('deny', '*', '*/7')), false],
    ['a denial beside it', policies('allow', say('deny', '*', 'cache/other/*')), true],
    ['a denial of one beside it', policies('allow', say('deny', '*', 'cache/orders')), true],
    ['a denial of another action', policies('allow', say('deny', 'cache:write', '*')), true],
    ['a denial of another key', policies('allow', say('deny', '*', '*', ['key-2'])), true],
    ['an allowance of all of it', policies('deny', say('allow', '*', 'cache/orders/*')), true],
    ['an allowance of more', policies('deny', say('allow', '*', 'cache/*')), true],
    ['an allowance of a part', policies('deny', say('allow', '*', 'cache/orders/1*')), false],
    ['an allowance of some', policies('deny', say('allow', '*', 'cache/*/1')), false],
  ])('%s', (_name, set, allowed) => {
    expect(below(set)).toBe(allowed);
  });

  it('never allow it where one of those would be denied', () => {
    const pieces = fc
      .array(fc.stringMatching(/^[ab]{0,2}$/), { minLength: 1, maxLength: 3 })
      .map((all) => all.join('*'));
    const statement = fc.record({
      effect: fc.constantFrom('allow' as const, 'deny' as const),
      actions: fc.constant(['*']),
      resources: fc.array(pieces, { minLength: 1, maxLength: 2 }),
    });
    const text = fc.stringMatching(/^[ab]{0,4}$/);
    const set = fc.record({
      default: fc.constantFrom('allow' as const, 'deny' as const),
      statements: fc.array(statement, { maxLength: 3 }),
    });
    fc.assert(
      fc.property(set, text, text, (of, prefix, rest) => {
        if (below(of, prefix)) expect(allows(of, { ...access, resource: prefix + rest })).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
