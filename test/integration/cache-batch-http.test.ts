/** Batches, lists, numbers and lifetimes over HTTP. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { escapeControls } from '../../lib/keys.ts';
import { newTenant, type TestTenant } from '../support/app.ts';
import { type Door, openDoor } from '../support/door.ts';
import { expectProblem } from '../support/problem.ts';

let door: Door;
let owner: TestTenant;
beforeAll(async () => {
  door = await openDoor();
  owner = await newTenant(door.app);
});

const json = { 'content-type': 'application/json' };
const batch = (body: unknown, namespace = 'ns') =>
  door.call({
    method: 'POST',
    target: `/cache/${namespace}`,
    key: owner.key,
    headers: json,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const itemsOf = async (body: unknown, namespace?: string) => {
  const reply = await batch(body, namespace);
  expect(reply.status, reply.body.toString()).toBe(200);
  return JSON.parse(reply.body.toString()).items;
};
const call = async (method: string, target: string, headers = {}) => {
  const reply = await door.call({ method, target, key: owner.key, headers });
  return { status: reply.status, reply, data: reply.body.length > 0 ? JSON.parse(reply.body.toString()) : null };
};

describe('a batch [C4 C3 C2]', () => {
  it.each([
    '',
    '123',
    'null',
    '"123"',
    '9007199254740993',
    '1e400',
    'a\0b',
    '\u0000',
    '\ufeff',
    'ž€😀',
    '[1,2]',
    ' {"a": 1.0} ',
    'a\r\nb',
  ])('gives text %j back as it was', async (value) => {
    const [stored] = await itemsOf({ set: [{ key: 'text', value, ttl_seconds: null }] });
    expect(['created', 'replaced']).toContain(stored.status);
    expect(stored).toMatchObject({ expires_at: null, size_bytes: Buffer.byteLength(value) });
    expect(await itemsOf({ get: ['text'] })).toMatchObject([{ key: 'text', status: 'hit', value, etag: stored.etag }]);
    const plain = await door.call({ target: '/cache/ns/text', key: owner.key });
    expect(plain.body).toEqual(Buffer.from(value));
    expect(plain.headers['content-type']).toBe('text/plain; charset=utf-8');
  });

  it('gives any keys and bytes back as they were', async () => {
    const Items = fc.uniqueArray(
      fc.record({
        key: fc.string({ minLength: 1, maxLength: 10, unit: 'binary' }),
        bytes: fc.uint8Array({ maxLength: 2_000 }),
      }),
      { selector: ({ key }) => key, minLength: 1, maxLength: 10 },
    );
    await fc.assert(
      fc.asyncProperty(Items, async (items) => {
        const set = items.map(({ key, bytes }) => ({ key, value_base64: Buffer.from(bytes).toString('base64') }));
        await itemsOf({ set }, 'bytes');
        const found = await itemsOf({ get: items.map(({ key }) => key) }, 'bytes');
        for (const [i, { key, bytes }] of items.entries()) {
          const { value, value_base64, ...rest } = found[i];
          expect(rest).toMatchObject({ key, status: 'hit', content_type: 'application/octet-stream' });
          expect(value === undefined ? Buffer.from(value_base64, 'base64') : Buffer.from(value)).toEqual(
            Buffer.from(bytes),
          );
        }
      }),
      { numRuns: 20 },
    );
  });

  it('keeps metadata, conditions and lifetimes of each item, and tells what became of each', async () => {
    const facts = {
      version: 'v1',
      source: 'import',
      tags: ['a', 'b'],
      attributes: { lang: 'ž' },
      content_type: 'text/csv',
    };
    const [a, b, c, d, e] = await itemsOf(
      {
        set: [
          { key: 'a?#\u0001', value: '1', ttl_seconds: 60, grace_seconds: 30, ...facts },
          { key: 'b', value: '2', if_match: '*' },
          { key: 'c', value: 'no json', content_type: 'application/json' },
          { key: 'd', value: '4', tags: ['a,b'] },
          { key: 'e', value: '5', ttl_seconds: 'never', if_none_match: '*' },
        ],
      },
      'facts',
    );
    expect(a).toMatchObject({ status: 'created', fresh_until: expect.any(String) });
    expect(Date.parse(a.expires_at) - Date.parse(a.fresh_until)).toBe(30_000);
    expect(b).toMatchObject({ status: 'precondition_failed', code: 'precondition_failed' });
    expect(c).toMatchObject({ status: 'invalid', code: 'invalid_json' });
    expect(d).toMatchObject({ status: 'invalid', code: 'invalid_request' });
    expect(e).toMatchObject({ status: 'created', expires_at: null });
    const [found, none] = await itemsOf({ get: ['a?#\u0001', 'b'], metadata_only: true }, 'facts');
    expect(found).toMatchObject({ status: 'hit', etag: a.etag, size_bytes: 1, ...facts });
    expect(found).not.toHaveProperty('value');
    expect(none).toEqual({ key: 'b', status: 'miss' });
    expect(await itemsOf({ set: [{ key: 'e', value: '6', if_match: e.etag }] }, 'facts')).toMatchObject([
      { status: 'replaced' },
    ]);
    expect(await itemsOf({ delete: ['a?#\u0001', 'b'] }, 'facts')).toEqual([
      { key: 'a?#\u0001', status: 'deleted' },
      { key: 'b', status: 'absent' },
    ]);
  });

  it('defers what does not fit into one reply, and never breaks', async () => {
    const bytes = Buffer.alloc(180_000, 'x');
    const keys = Array.from({ length: 40 }, (_, i) => `k${i}`);
    await door.app.cache.setMany(
      owner.caller,
      'big',
      keys.map((key) => ({ key, value: bytes, meta: { content_type: 'text/plain' }, ttlMs: null })),
    );
    let left = keys;
    for (let calls = 0; left.length > 0; calls++) {
      expect(calls).toBeLessThan(3);
      const items = await itemsOf({ get: left }, 'big');
      const hits = items.filter(({ status }: { status: string }) => status === 'hit');
      expect(hits.length).toBeGreaterThan(13);
      left = items
        .filter(({ status }: { status: string }) => status === 'deferred')
        .map(({ key }: { key: string }) => key);
      expect(hits.length + left.length).toBe(items.length);
    }
    // As JSON, each of these is six times as long.
    const escaped = { value: Buffer.alloc(900_000, '\u0001'), meta: { content_type: 'text/plain' }, ttlMs: null };
    await door.app.cache.set(owner.caller, { namespace: 'big', key: 'escaped' }, escaped);
    expect(await itemsOf({ get: ['escaped', 'k1'] }, 'big')).toMatchObject([
      { key: 'escaped', status: 'too_large', code: 'reply_too_large', size_bytes: 900_000 },
      { key: 'k1', status: 'hit' },
    ]);
  });

  it.each([
    ['{}', 'body'],
    ['{"get":["a"],"delete":["a"]}', 'body'],
    ['{"get":[]}', 'body.get'],
    ['{"get":[""]}', 'body.get.0'],
    [`{"get":${JSON.stringify(Array.from({ length: 1_001 }, (_, i) => `${i}`))}}`, 'body.get'],
    ['{"set":[{"key":"a"}]}', 'body.set.0.value'],
    ['{"set":[{"key":"a","value":"1","value_base64":"MQ=="}]}', 'body.set.0.value'],
    ['{"set":[{"key":"a","value_base64":"*"}]}', 'body.set.0.value_base64'],
    ['{"set":[{"key":"a","value":"\\ud800"}]}', 'body.set.0.value'],
    ['{"set":[{"key":"a","value":1}]}', 'body.set.0.value'],
    ['{"set":[{"key":"a","value":"1","ttl_seconds":0}]}', 'body.set.0.ttl_seconds'],
    ['{"set":[{"key":"a","value":"1","ttl":1}]}', 'body.set.0'],
    ['{"delete":["a"],"stale":true}', 'body'],
    ['{"get":["a","b","a"]}', 'keys.2'],
    ['{"set":[{"key":"a","value":"1"},{"key":"a","value":"x","content_type":"application/json"}]}', 'keys.1'],
  ])('refuses %.60s by its field', async (body, field) => {
    const { errors } = expectProblem(await batch(body), '400 invalid_request') as unknown as {
      errors: readonly { field: string }[];
    };
    expect(errors.map((error) => error.field)).toContain(field);
  });

  it('refuses what is larger than a body may be', async () => {
    const set = [{ key: 'a', value: 'x'.repeat(4 * 1024 * 1024) }];
    expectProblem(await batch({ set }), '413 body_too_large');
    expect((await batch({ set: [{ key: 'a', value: 'x'.repeat(6.5 * 1024 * 1024) }] })).status).toBe(413);
  });

  it('refuses what none of can be stored', async () => {
    expectProblem(await batch({ set: [{ key: 'a', value: '1', tags: ['a b'] }] }), '400 invalid_request');
    expectProblem(
      await batch({ set: [{ key: 'a', value: '{', content_type: 'application/json' }] }),
      '400 invalid_json',
    );
  });
});

describe('a list [C4 C3]', () => {
  const keys = ['a', 'a/1', 'a/2', 'a/ž', 'a/€', 'a/\u{10ffff}', 'a/?#', 'a/\u0001', 'a0', 'b%', 'ž'];
  const inOrder = (some: readonly string[]) => [...some].sort((x, y) => Buffer.compare(stands(x), stands(y)));
  const stands = (key: string) => Buffer.from(escapeControls(key));
  const list = (query: string) => call('GET', `/cache/list${query}`);

  beforeAll(async () => {
    const set = keys.map((key) => ({ key, value: key, tags: ['t'], version: 'v' }));
    await itemsOf({ set }, 'list');
    await itemsOf({ set: [{ key: 'a/0', value: '' }] }, 'list2');
  });

  it('gives all of a namespace, in order, with what is known of each', async () => {
    const { data } = await list('');
    expect(data.items.map(({ key }: { key: string }) => key)).toEqual(inOrder(keys));
    expect(data.next_cursor).toBeNull();
    expect(data.items[0]).toMatchObject({
      key: 'a',
      size_bytes: 1,
      tags: ['t'],
      version: 'v',
      etag: expect.stringMatching(/^"[\w-]{22}"$/),
      expires_at: expect.any(String),
      updated_at: expect.any(String),
    });
  });

  it.each(['a', 'a/', 'a/1', 'b%', 'ž', 'none', 'a/\u0001'])(
    'gives what begins with %j, by pages of any size',
    async (prefix) => {
      for (const limit of [1, 2, 100]) {
        const found: string[] = [];
        let cursor = '';
        do {
          const { data } = await list(`?prefix=${encodeURIComponent(prefix)}&limit=${limit}${cursor}`);
          found.push(...data.items.map(({ key }: { key: string }) => key));
          cursor = data.next_cursor === null ? '' : `&cursor=${data.next_cursor}`;
        } while (cursor !== '');
        expect(found).toEqual(inOrder(keys.filter((key) => key.startsWith(prefix))));
      }
    },
  );

  it('refuses a cursor of another list', async () => {
    const cursor = Buffer.from('zzz').toString('base64url');
    expectProblem((await list(`?prefix=a&cursor=${cursor}`)).reply, '400 invalid_request');
    expectProblem((await list('?limit=101')).reply, '400 invalid_request');
  });

  it('counts no reads', async () => {
    const before = (await door.app.account.identify(owner.caller)).used;
    await list('');
    expect((await door.app.account.identify(owner.caller)).used).toMatchObject({ entries: before.entries });
  });
});

describe('a number [C4]', () => {
  it('is added to, with the lifetime it began with', async () => {
    const first = await call('POST', '/cache/n/visits?increment=5&ttl_seconds=60');
    expect(first).toMatchObject({ status: 200, data: { value: 5, created: true } });
    const second = await call('POST', '/cache/n/visits?increment=-7&ttl_seconds=never');
    expect(second.data).toMatchObject({ value: -2, created: false, expires_at: first.data.expires_at });
    const entry = await door.call({ target: '/cache/n/visits', key: owner.key });
    expect(entry.body.toString()).toBe('-2');
    expect(entry.headers).toMatchObject({ etag: second.data.etag, 'content-type': 'application/json' });
  });

  it('is told from what is none, and keeps its range', async () => {
    await itemsOf(
      {
        set: [
          { key: 'text', value: 'abc' },
          { key: 'max', value: '9007199254740990' },
        ],
      },
      'n',
    );
    expectProblem((await call('POST', '/cache/n/text?increment=1')).reply, '409 not_a_number');
    expect((await call('POST', '/cache/n/max?increment=1')).data.value).toBe(Number.MAX_SAFE_INTEGER);
    expectProblem((await call('POST', '/cache/n/max?increment=1')).reply, '409 number_out_of_range');
    for (const query of [
      'increment=1.5',
      'increment=9007199254740992',
      'increment=',
      'increment=1&x=1',
      'ttl_seconds=1',
    ])
      expectProblem((await call('POST', `/cache/n/max?${query}`)).reply, '400 invalid_request');
  });

  it('is added to once by a call that is repeated with its Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'once-and-only-once' };
    for (const _again of [1, 2, 3])
      expect((await call('POST', '/cache/n/once?increment=1', headers)).data.value).toBe(1);
  });
});

describe('a lifetime [C2]', () => {
  it('is changed, and nothing else', async () => {
    const [stored] = await itemsOf({ set: [{ key: 'k', value: 'v', ttl_seconds: 10, tags: ['a'] }] }, 'life');
    const touched = await call('PATCH', '/cache/life/k?ttl_seconds=100&grace_seconds=50', { 'if-match': stored.etag });
    expect(touched).toMatchObject({ status: 200, data: { etag: stored.etag } });
    expect(Date.parse(touched.data.expires_at) - Date.parse(touched.data.fresh_until)).toBe(50_000);
    expect(Date.parse(touched.data.expires_at)).toBeGreaterThan(Date.parse(stored.expires_at));
    const head = await door.call({ method: 'HEAD', target: '/cache/life/k', key: owner.key });
    expect(head.headers).toMatchObject({
      etag: stored.etag,
      'riptide-tags': 'a',
      'riptide-expires-at': touched.data.expires_at,
    });
    expect((await call('PATCH', '/cache/life/k?ttl_seconds=never')).data).toMatchObject({ expires_at: null });
    expectProblem(
      (await call('PATCH', '/cache/life/k?ttl_seconds=1', { 'if-match': `"${'x'.repeat(22)}"` })).reply,
      '412 precondition_failed',
    );
    expectProblem((await call('PATCH', '/cache/life/none?ttl_seconds=1')).reply, '404 entry_not_found');
    expectProblem((await call('PATCH', '/cache/life/k')).reply, '400 invalid_request');
  });
});
