/** The local Upstash REST endpoint, through the real client and through plain fetch. */
import { randomUUID } from 'node:crypto';
import { Redis } from '@upstash/redis';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { restCall as call } from '../support/redis-rest-call.ts';
import { servers } from '../support/servers.ts';

const client = (options = {}) =>
  new Redis({
    url: servers().restUrl,
    token: servers().restToken,
    automaticDeserialization: false,
    enableTelemetry: false,
    retry: { retries: 0 },
    ...options,
  });

const newKey = () => `test:${randomUUID()}`;

describe('who may use the endpoint [G1]', () => {
  it.each([
    ['no token', {}],
    ['an empty one', { authorization: '' }],
    ['another scheme', { authorization: 'Basic dGVzdA==' }],
    ['one of the same length', { authorization: 'Bearer test-rest-tokeN' }],
    ['one that goes on', { authorization: 'Bearer test-rest-token2' }],
  ])('refuses %s on every path, and runs nothing', async (_name, headers) => {
    const key = newKey();
    for (const [path, body] of [
      ['/', ['SET', key, '1']],
      ['/pipeline', [['SET', key, '1']]],
      ['/multi-exec', [['SET', key, '1']]],
      [`/set/${key}/1`, ''],
    ] as const) {
      const response = await fetch(`${servers().restUrl}${path}`, {
        method: 'POST',
        headers: headers as Record<string, string>,
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      expect([path, response.status]).toEqual([path, 401]);
      expect(await response.json()).toEqual({ error: expect.stringContaining('WRONGPASS') });
    }
    expect((await call({ body: ['EXISTS', key] })).json).toEqual({ result: 0 });
  });

  it('takes the token from the query, and keeps it out of the command', async () => {
    const key = newKey();
    const response = await fetch(`${servers().restUrl}/set/${key}/v?_token=${servers().restToken}`);
    expect([response.status, await response.json()]).toEqual([200, { result: 'OK' }]);
  });

  it('shows a wrong token to the client as its own error', async () => {
    await expect(client({ token: 'wrong' }).get('k')).rejects.toThrow(/WRONGPASS/);
  });
});

describe('values [G1]', () => {
  it.each(['abcd', 'OK', 'null', '00123', '1e3', '', 'session1', '{"a":[1,"x"]}', 'é漢字🙂', '\u0000\r\n"\\'])(
    'returns %j as it was stored, with and without base64',
    async (value) => {
      const key = newKey();
      await client().set(key, value);
      expect(await client().get(key)).toBe(value);
      expect(await client({ responseEncoding: false }).get(key)).toBe(value);
    },
  );

  it('returns any text as it was stored', async () => {
    const redis = client();
    const key = newKey();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), async (value) => {
        await redis.set(key, value);
        // A leading byte-order mark is dropped by the client's own base64 decoder.
        return value.startsWith('\uFEFF') || (await redis.get(key)) === value;
      }),
      { numRuns: 100 },
    );
  });

  it('stores any bytes from a raw body, and returns them in base64', async () => {
    const key = newKey();
    const bytes = Buffer.from(Array.from({ length: 512 }, (_, i) => i % 256));
    expect(await call({ path: `/set/${key}?EX=60`, body: bytes })).toMatchObject({
      status: 200,
      json: { result: 'OK' },
    });
    const { json } = await call({ path: `/get/${key}`, method: 'GET', headers: { 'upstash-encoding': 'base64' } });
    expect(Buffer.from(String(json.result), 'base64').equals(bytes)).toBe(true);
    expect((await call({ body: ['TTL', key] })).json.result).toBeGreaterThan(55);
  });

  it('returns integers of 64 bits with every digit', async () => {
    const key = newKey();
    await call({ body: ['SET', key, '9007199254740992'] });
    expect((await call({ body: ['INCR', key] })).text).toBe('{"result":9007199254740993}');
  });

  it('returns nested replies, absent values and errors inside of them', async () => {
    const script = 'return {1, {"a", {false, "b"}}, redis.pcall("NOPE")}';
    const { json } = await call({ body: ['EVAL', script, '0'] });
    expect(json.result).toEqual([1, ['a', [null, 'b']], expect.stringMatching(/^ERR unknown/i)]);
  });

  it('returns hashes flat, as Redis does', async () => {
    const key = newKey();
    await call({ body: ['HSET', key, 'a', 1, 'b', true] });
    expect((await call({ body: ['HGETALL', key] })).json.result).toEqual(['a', '1', 'b', 'true']);
  });
});

describe('paths [G1]', () => {
  it('decodes each part, and keeps an escaped slash inside of it', async () => {
    const key = `${newKey()}/a b?#%`;
    await call({ path: `/set/${encodeURIComponent(key)}/${encodeURIComponent('x/y ü')}`, method: 'GET' });
    expect(await client().get(key)).toBe('x/y ü');
  });

  it('answers HEAD without a body', async () => {
    expect(await call({ path: '/ping', method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
  });

  it('gives every answer its own sync token', async () => {
    const token = async () =>
      (await fetch(`${servers().restUrl}/ping?_token=${servers().restToken}`)).headers.get('upstash-sync-token');
    const [first, second] = [await token(), await token()];
    expect(first).toBeTruthy();
    expect(second).not.toBe(first);
  });
});

describe('malformed requests [G1]', () => {
  it.each([
    ['/', 'not json'],
    ['/', ''],
    ['/', '{}'],
    ['/', '"GET"'],
    ['/', '[]'],
    ['/', '[""]'],
    ['/', '[["GET","k"]]'],
    ['/', '["GET",{}]'],
    ['/', '["GET",null]'],
    ['/', '["GET"]'],
    ['/', '["NOPE"]'],
    ['/', '["__proto__"]'],
    ['/pipeline', '[]'],
    ['/pipeline', '{"a":1}'],
    ['/pipeline', '["GET","k"]'],
    ['/multi-exec', '[[]]'],
    ['/get/%ff', ''],
    ['/get/%zz', ''],
    ['/nope/k', ''],
    ['//', ''],
  ])('answers %s with %j as 400 and an error', async (path, body) => {
    expect(await call({ path, body })).toMatchObject({ status: 400, json: { error: expect.stringMatching(/^ERR /) } });
  });

  it('answers a method it does not know with 405, and what it does not offer with 501', async () => {
    expect((await call({ method: 'DELETE' })).status).toBe(405);
    expect((await call({ method: 'GET' })).status).toBe(405);
    expect((await call({ path: '/subscribe/c', method: 'GET' })).status).toBe(501);
    expect((await call({ body: ['PING'], headers: { 'upstash-response-format': 'resp2' } })).status).toBe(501);
  });

  it('takes 10 MB, refuses more with 413, and serves on', async () => {
    const key = newKey();
    const limit = 10 * 1024 * 1024;
    expect((await call({ path: `/set/${key}`, body: Buffer.alloc(limit, 97) })).status).toBe(200);
    const refused = await call({ path: `/set/${key}`, body: Buffer.alloc(limit + 1, 98) });
    expect(refused).toMatchObject({
      status: 413,
      json: { error: expect.stringContaining('max request size exceeded') },
    });
    expect((await call({ body: ['GETRANGE', key, '0', '0'] })).json).toEqual({ result: 'a' });
    await call({ body: ['DEL', key] });
  });
});

describe('commands that would harm other callers [G1]', () => {
  it.each([
    'CONFIG GET dir',
    'config get dir',
    'SUBSCRIBE c',
    'MONITOR',
    'BLPOP k 0',
    'WAIT 1 0',
    'MULTI',
    'EXEC',
    'WATCH k',
    'SELECT 1',
    'CLIENT REPLY OFF',
    'HELLO 3',
    'SHUTDOWN',
    'DEBUG SLEEP 10',
    'SCRIPT KILL',
    'XREAD BLOCK 0 STREAMS s $',
    'xread count 1 block 0 streams s $',
  ])('refuses %s', async (line) => {
    const answer = await call({ body: line.split(' ') });
    expect(answer).toMatchObject({ status: 400, json: { error: expect.stringContaining('Command is not available') } });
  });

  it('takes a stream that is named block', async () => {
    expect(await call({ body: ['XREAD', 'STREAMS', 'block', '0'] })).toMatchObject({
      status: 200,
      json: { result: null },
    });
  });
});

describe('pipelines [G1]', () => {
  it('leaves an error in its place and runs the rest', async () => {
    const [text, count] = [newKey(), newKey()];
    const { status, json } = await call({
      path: '/pipeline',
      body: [['SET', text, 'abc!'], ['INCR', text], ['SHUTDOWN'], ['GET'], ['INCR', count], ['GET', text]],
    });
    expect(status).toBe(200);
    expect(json).toEqual([
      { result: 'OK' },
      { error: 'ERR value is not an integer or out of range' },
      { error: expect.stringContaining('Command is not available') },
      { error: expect.stringContaining('wrong number of arguments') },
      { result: 1 },
      { result: 'abc!' },
    ]);
  });

  it('answers a pipeline of refused commands only', async () => {
    const { status, json } = await call({ path: '/pipeline', body: [['SHUTDOWN'], ['MONITOR']] });
    expect([status, json.length, json.every((slot) => typeof slot.error === 'string')]).toEqual([200, 2, true]);
  });

  it('gives every caller its own replies under concurrent load', async () => {
    const redis = client();
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, (_, i) => redis.pipeline().echo(`a${i}`).echo(`b${i}`).exec()),
    );
    expect(outcomes).toEqual(outcomes.map((_, i) => [`a${i}`, `b${i}`]));
  });
});

describe('transactions [G1]', () => {
  it('lets nothing of others in between, under concurrent load', async () => {
    const key = newKey();
    const twice = () =>
      call({
        path: '/multi-exec',
        body: [
          ['INCR', key],
          ['ECHO', 'x'],
          ['INCR', key],
        ],
      });
    const once = () => call({ body: ['INCR', key] });
    const answers = await Promise.all(Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? twice() : once())));
    const pairs = answers.flatMap(({ json }) =>
      Array.isArray(json) ? [[json[0]?.result, json[2]?.result] as number[]] : [],
    );
    expect(pairs).toHaveLength(100);
    expect(pairs.filter(([first = 0, second]) => second !== first + 1)).toEqual([]);
    expect((await call({ body: ['GET', key] })).json.result).toBe('400');
  });

  it.each([
    ['Redis cannot queue', ['GET'], 'wrong number of arguments'],
    ['is refused', ['SHUTDOWN'], 'Command is not available'],
  ])('changes nothing when a command %s', async (_name, bad, error) => {
    const key = newKey();
    const answer = await call({ path: '/multi-exec', body: [['SET', key, 'v'], bad] });
    expect(answer).toMatchObject({ status: 400, json: { error: expect.stringContaining(error) } });
    expect((await call({ body: ['EXISTS', key] })).json.result).toBe(0);
  });

  it('leaves the error of a command that fails while it runs in its place', async () => {
    const key = newKey();
    const { status, json } = await call({
      path: '/multi-exec',
      body: [
        ['SET', key, 'x'],
        ['INCR', key],
        ['GET', key],
      ],
    });
    expect(status).toBe(200);
    expect(json).toEqual([{ result: 'OK' }, { error: expect.stringContaining('not an integer') }, { result: 'x' }]);
  });
});
