import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  changesBetween,
  cookieTtlMs,
  sessionFields,
  sessionTexts,
} from '../../lib/sessions/adapters/express-session-texts.ts';

const held = (data: Record<string, string>) => ({
  id: 'any',
  expiresAtMs: 90_000,
  ttlMs: 60_000,
  data: new Map(Object.entries(data)),
});

describe('what changed in a session [S2]', () => {
  it('is exactly what makes the one before into the one after', () => {
    const texts = fc.dictionary(fc.string(), fc.json()).map((all) => new Map(Object.entries(all)));
    fc.assert(
      fc.property(texts, texts, (before, after) => {
        const { set, remove, none } = changesBetween(before, after);
        const made = new Map([...before, ...set]);
        for (const key of remove) made.delete(key);
        expect(made).toEqual(after);
        expect(none).toBe(set.size + remove.length === 0);
        expect([...set].filter(([key, text]) => before.get(key) === text)).toEqual([]);
      }),
    );
  });

  it('is nothing between what was stored and what was loaded of it', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.json()), (data) => {
        const fields = sessionFields(held(data));
        const loaded = JSON.parse(JSON.stringify(fields));
        expect(changesBetween(sessionTexts(fields), sessionTexts(loaded)).none).toBe(true);
      }),
    );
  });

  it('is no change when express-session rounds a lifetime, and one when another was chosen', () => {
    const cookie = (originalMaxAge: number) => ({ cookie: { originalMaxAge, expires: new Date(), path: '/' } });
    const before = sessionTexts(cookie(60_000));
    expect(sessionTexts(cookie(59_999), before)).toEqual(before);
    expect(sessionTexts(cookie(58_000), before)).not.toEqual(before);
  });
});

describe('a stored session as express-session has it [S2]', () => {
  it('has fields of its own, whatever their names', () => {
    const fields = sessionFields(held({ constructor: '1', toString: '{}', a: '"x"' }));
    expect(Object.keys(fields)).toEqual(['constructor', 'toString', 'a', 'cookie']);
    expect(Object.getPrototypeOf(fields)).toBe(Object.prototype);
  });

  it('has a cookie that ends when the session does, and one where none is stored', () => {
    const stored = { cookie: '{"originalMaxAge":60000,"path":"/"}' };
    expect(sessionFields(held(stored)).cookie).toEqual({
      originalMaxAge: 60_000,
      path: '/',
      expires: '1970-01-01T00:01:30.000Z',
    });
    for (const none of [{}, { cookie: 'null' }, { cookie: '7' }])
      expect(sessionFields(held(none as Record<string, string>)).cookie).toEqual({
        originalMaxAge: null,
        expires: null,
      });
  });
});

describe('how long a cookie has a session live [S1]', () => {
  const ttl = (cookie: unknown) => cookieTtlMs({ cookie }, { nowMs: 1_000_000, maxMs: 3_600_000 });

  it.each([
    ['its lifetime', { originalMaxAge: 60_000 }, 60_000],
    ['rounded up', { originalMaxAge: 59_001 }, 60_000],
    ['before what is left of it', { originalMaxAge: 60_000, expires: new Date(1_005_000) }, 60_000],
    ['what is left', { expires: new Date(1_005_000) }, 5_000],
    ['what is left, as text', { expires: new Date(1_005_000).toISOString() }, 5_000],
    ['its age, as plain objects have it', { maxAge: 2_000 }, 2_000],
    ['at most what a session may', { originalMaxAge: 1e15 }, 3_600_000],
  ])('%s', (_what, cookie, ms) => {
    expect(ttl(cookie)).toBe(ms);
  });

  it.each([
    [undefined],
    [null],
    ['text'],
    [{}],
    [{ originalMaxAge: null, expires: null }],
    [{ originalMaxAge: false, expires: false }],
    [{ expires: 'not a time' }],
    [{ originalMaxAge: Number.NaN, maxAge: Number.POSITIVE_INFINITY }],
  ])('nothing: %j', (cookie) => {
    expect(ttl(cookie)).toBeNull();
  });

  it.each([[{ originalMaxAge: 0 }], [{ originalMaxAge: -1 }], [{ expires: new Date(0) }], [{ maxAge: 0 }]])(
    'it has ended: %j',
    (cookie) => {
      expect(ttl(cookie)).toBeLessThanOrEqual(0);
    },
  );
});
