import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HttpEvent } from '../../lib/http/event.ts';
import { findUnsafeName } from '../../lib/http/json-names.ts';
import { isJsonType, parseJson, readBytes, readJson } from '../../lib/http/request-body.ts';

const json = (body: string, headers: HttpEvent['headers'] = { 'content-type': 'application/json' }) => ({
  body,
  headers,
});
const thrown = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe('the bytes of a body [C1]', () => {
  it('are those that were sent, as text or as base64', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const sent = Buffer.from(bytes);
        expect(readBytes({ body: sent.toString('base64'), isBase64Encoded: true }).equals(sent)).toBe(true);
      }),
    );
    expect(readBytes({ body: '\ufeffž🙂"\\' }).toString()).toBe('\ufeffž🙂"\\');
    expect(readBytes({}).length).toBe(0);
    expect(readBytes({ body: null }).length).toBe(0);
  });

  it('are 4 MiB at most, and not encoded', () => {
    const most = 4 * 1024 * 1024;
    expect(readBytes({ body: 'x'.repeat(most) })).toHaveLength(most);
    expect(thrown(() => readBytes({ body: 'x'.repeat(most + 1) }))).toMatchObject({ code: 'body_too_large' });
    expect(thrown(() => readBytes({ body: '', headers: { 'content-encoding': 'br' } }))).toMatchObject({
      code: 'unsupported_media_type',
    });
    expect(readBytes({ body: 'x', headers: { 'content-encoding': ' Identity ' } }).toString()).toBe('x');
  });
});

describe('JSON of a body [A14]', () => {
  it('is told from nothing at all', () => {
    for (const empty of ['', ' \n'])
      expect(thrown(() => readJson(json(empty)))).toMatchObject({
        code: 'invalid_json',
        message: expect.stringContaining('is empty'),
      });
  });

  it('is what JSON.parse makes of it', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), (text) => {
        fc.pre(findUnsafeName(text) === undefined);
        expect(readJson(json(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('is counted by its brackets, not by those in its strings', () => {
    expect(parseJson(Buffer.from('["[[[[\\"[[[["]'), 1)).toEqual(['[[[["[[[[']);
    expect(thrown(() => parseJson(Buffer.from('[{"a":[]}]'), 2))).toMatchObject({ code: 'invalid_json' });
    expect(parseJson(Buffer.from('[{},{},[],[]]'), 2)).toHaveLength(4);
  });

  it('is refused without a word of it in the message', () => {
    for (const body of ['{"secret":', '"secret', 'secret', '{"secret":1,"secret":2}']) {
      const error = thrown(() => readJson(json(body))) as Error;
      expect(error).toMatchObject({ code: 'invalid_json' });
      expect(`${error.message} ${JSON.stringify(error)}`).not.toContain('secret');
    }
  });

  it.each([
    'application/json',
    ' Application/JSON ;charset=utf8',
    'application/problem+json',
    'application/vnd.a-b.c+json',
  ])('may be called %s', (type) => {
    expect(isJsonType(type)).toBe(true);
  });

  it.each([
    '',
    'json',
    'text/json',
    'application/json5',
    'application/jsonp',
    'xapplication/json',
    'application/+json',
  ])('is not called "%s"', (type) => {
    expect(isJsonType(type)).toBe(false);
  });
});

describe('names in JSON [A14]', () => {
  it.each([
    ['{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]}', undefined],
    ['["a","a",{"a":"a"}]', undefined],
    ['{"a":"__proto__","b":"b"}', undefined],
    ['{"a":1 , "a" \n:2}', 'a'],
    ['{"a":1,"\\u0061":2}', 'a'],
    ['{"x\\"y":1,"x\\"y":2}', 'x"y'],
    ['[[{"b":{"c":[],"c":1}}]]', 'c'],
    ['{"__proto__":1}', '__proto__'],
    ['{"":1,"":2}', ''],
  ])('%s', (text, name) => {
    expect(findUnsafeName(text)).toBe(name);
  });

  it('are unsafe exactly when writing the text again loses something', () => {
    const value = fc.oneof(fc.constant('1'), fc.constant('"a:"'), fc.constant('[{"k":0},{"k":0}]'));
    const names = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd e', '\\"', '__proto__'), value), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(names, (fields) => {
        const text = `{${fields.map(([name, content]) => `"${name}":${content}`).join(',')}}`;
        const kept = Object.keys(JSON.parse(text));
        const isSafe = kept.length === fields.length && !kept.includes('__proto__');
        expect(findUnsafeName(text) === undefined).toBe(isSafe);
      }),
    );
  });
});
