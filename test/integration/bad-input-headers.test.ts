/** Headers and queries that do not fit: each named, none applied. */
import { beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_KEY, newTenant, type TestTenant } from '../support/app.ts';
import { type Door, type DoorRequest, openDoor } from '../support/door.ts';
import { expectProblem } from '../support/problem.ts';
import { countTenants, tenantState } from '../support/tenant-state.ts';

let door: Door;
let owner: TestTenant;
beforeAll(async () => {
  door = await openDoor();
  owner = await newTenant(door.app);
});

type Headers = Readonly<Record<string, string>>;
const encoded = (value: unknown) => encodeURIComponent(JSON.stringify(value));

const put = (headers: Headers, target = '/cache/headers/one', body = 'x') =>
  door.call({ method: 'PUT', target, key: owner.key, headers, body });

/** Refused as `invalid_request`, `field` named, nothing changed. */
async function expectMisfit(request: DoorRequest, field: string): Promise<void> {
  const before = await tenantState(door.app, owner.tenant.id);
  const problem = expectProblem(await door.call(request), '400 invalid_request');
  const named = problem.errors?.map((error) => error.field.split('.').slice(0, 2).join('.'));
  expect(named).toContain(field);
  expect(await tenantState(door.app, owner.tenant.id)).toEqual(before);
}

describe('ttl_seconds [C2 A14]', () => {
  const bad = [
    '0',
    '-1',
    '1.5',
    '1e9',
    '1e2',
    '0x10',
    'abc',
    '',
    '%20',
    '+60',
    '060',
    '315360001',
    '99999999999',
    '9007199254740993',
    'Infinity',
    'null',
    'Never',
    '60,60',
  ];
  it.each([...bad.map((value) => `ttl_seconds=${value}`), 'ttl_seconds=60&ttl_seconds=60', 'ttl_seconds'])(
    'is a whole number of seconds, or never: %s',
    async (query) => {
      const target = `/cache/headers/one?${query}`;
      await expectMisfit({ method: 'PUT', target, key: owner.key, body: 'x' }, 'query.ttl_seconds');
    },
  );

  it.each(['ttl=60', 'TTL_SECONDS=60', '__proto__=1', 'constructor=1', 'ttl_seconds%00=1'])(
    'is the only name a write takes: %s',
    async (query) => {
      await expectMisfit({ method: 'PUT', target: `/cache/headers/one?${query}`, key: owner.key, body: 'x' }, 'query');
    },
  );

  it.each(['%ff', 'a=%', 'a=%ed%a0%80'])('cannot be read from a query that is not UTF-8: %s', async (query) => {
    expectProblem(await put({}, `/cache/headers/one?${query}`), '400 invalid_request');
  });

  it.each(['1', '315360000', 'never'])('may be %s', async (ttl) => {
    expect((await put({}, `/cache/headers/ttl?ttl_seconds=${ttl}`)).status).toBeLessThan(300);
  });
});

const BAD_HEADERS: readonly [name: string, value: string][] = [
  ['content-type', ''],
  ['content-type', 'x'.repeat(256)],
  ['content-type', 'text/plain; charset="\u00e9"'],
  ['riptide-version', ''],
  ['riptide-version', 'x'.repeat(129)],
  ['riptide-version', 'a\tb'],
  ['riptide-source', 'x'.repeat(257)],
  ['riptide-source', '\u00c5\u00bd'],
  ['riptide-tags', ''],
  ['riptide-tags', ','],
  ['riptide-tags', 'a,,b'],
  ['riptide-tags', 'a b'],
  ['riptide-tags', '\u00e9'],
  ['riptide-tags', 'x'.repeat(129)],
  ['riptide-tags', Array.from({ length: 33 }, (_, i) => `t${i}`).join(',')],
  ['riptide-attributes', ''],
  ['riptide-attributes', '{'],
  ['riptide-attributes', '%'],
  ['riptide-attributes', '%ff'],
  ['riptide-attributes', 'null'],
  ['riptide-attributes', '[]'],
  ['riptide-attributes', '"a"'],
  ['riptide-attributes', '1'],
  ['riptide-attributes', encoded({ a: 1 })],
  ['riptide-attributes', encoded({ a: null })],
  ['riptide-attributes', encoded({ a: { b: 'c' } })],
  ['riptide-attributes', encoded({ '': 'a' })],
  ['riptide-attributes', encoded({ ['x'.repeat(65)]: 'a' })],
  ['riptide-attributes', encoded({ a: 'x'.repeat(1_025) })],
  ['riptide-attributes', encoded(Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`k${i}`, 'x'.repeat(900)])))],
  ['riptide-attributes', `{"a":"${'<'.repeat(1_000)}","b":"${'<'.repeat(1_000)}"}`],
  ['riptide-attributes', '%7B%22__proto__%22:%22x%22%7D'],
  ['riptide-attributes', '%7B%22a%22:%22x%22,%22a%22:%22y%22%7D'],
  ['riptide-attributes', '['.repeat(4_000)],
  ['riptide-attributes', '\u00e9'],
  ...['x', '"a', 'a"', 'w/"a"', 'W/', '*,*', '*, "a"', '"a" "b"', '"a",', ',"a"', '"\u00e9"', '"a\tb"'].map(
    (value): [string, string] => ['if-match', value],
  ),
  ['if-none-match', '"a"'],
  ['if-none-match', '*, *'],
];

describe('a header that does not fit [C3 C10 A14]', () => {
  it.each(BAD_HEADERS)('is named, and nothing stored: %s (%#)', async (name, value) => {
    const request = {
      method: 'PUT',
      target: '/cache/headers/one',
      key: owner.key,
      headers: { [name]: value },
      body: 'x',
    };
    await expectMisfit(request, `header.${name}`);
  });

  it.each(['"a', ',', 'x', '"a" "b"'])('is refused on reads and removals, too: %s', async (value) => {
    const target = '/cache/headers/one';
    const read = { target, key: owner.key, headers: { 'if-none-match': value } };
    await expectMisfit(read, 'header.if-none-match');
    await expectMisfit({ method: 'DELETE', target, key: owner.key, headers: { 'if-match': value } }, 'header.if-match');
  });

  it('takes what is just small enough, and gives it back', async () => {
    const headers = {
      'content-type': `text/plain; x=${'y'.repeat(240)}`,
      'riptide-version': 'v'.repeat(128),
      'riptide-source': 's'.repeat(256),
      'riptide-tags': Array.from({ length: 32 }, (_, i) => `t${i}`).join(', '),
      'riptide-attributes': encoded({
        constructor: 'a',
        toString: '\ud83d\ude42',
        lone: '\ud800',
        ['k'.repeat(64)]: 'x'.repeat(1_024),
      }),
    };
    expect((await put(headers, '/cache/headers/full')).status).toBe(201);
    const reply = await door.call({ target: '/cache/headers/full', key: owner.key });
    expect(reply.headers).toMatchObject(headers);
  });
});

describe('conditions [C10 A14]', () => {
  const HOSTILE: readonly [what: string, value: string][] = [
    ['commas', ','.repeat(4_096)],
    ['commas after a tag', `"a"${','.repeat(4_093)}`],
    ['spaces', `"a"${' '.repeat(4_092)}x`],
    ['commas and spaces', `"a"${' ,'.repeat(2_046)}`],
    ['open quotes', '"'.repeat(4_095)],
    ['weak marks', 'W/'.repeat(2_048)],
    ['many tags, the last one broken', `${'"",'.repeat(1_364)}"`],
  ];
  it.each(HOSTILE)('are refused in no time: 4 KB of %s', async (_what, value) => {
    const request = { target: '/cache/headers/one', key: owner.key, headers: { 'if-none-match': value } };
    await door.call(request);
    const startedAt = performance.now();
    expectProblem(await door.call(request), '400 invalid_request');
    expect(performance.now() - startedAt).toBeLessThan(50);
  });

  it('name ETags, never the words a script knows', async () => {
    const target = '/cache/headers/words';
    for (const word of ['absent', 'exists', 'none', 'unreadable', '*', '-', '', ',', 'a,absent']) {
      const headers = { 'if-match': `"${word}"` };
      expectProblem(await put(headers, target), '412 precondition_failed');
    }
    await put({}, target, 'first');
    for (const word of ['absent', 'exists', 'unreadable', '*', '-']) {
      const headers = { 'if-match': `"${word}"` };
      expectProblem(await put(headers, target, 'second'), '412 precondition_failed');
      expectProblem(await door.call({ method: 'DELETE', target, key: owner.key, headers }), '412 precondition_failed');
      const read = await door.call({ target, key: owner.key, headers: { 'if-none-match': `"${word}"` } });
      expect([read.status, read.body.toString()]).toEqual([200, 'first']);
    }
  });

  it('compare weakly on reads, strongly on writes, among as many tags as fit', async () => {
    const target = '/cache/headers/compare';
    const { etag = '' } = (await put({}, target)).headers;
    const many = `${'"x", '.repeat(800)}W/${etag}`;
    const read = await door.call({ target, key: owner.key, headers: { 'if-none-match': many } });
    expect([read.status, read.body.length, read.headers.etag]).toEqual([304, 0, etag]);
    expectProblem(await put({ 'if-match': many }, target), '412 precondition_failed');
    expect((await put({ 'if-match': many.replace('W/', '') }, target)).status).toBe(200);
  });
});

describe('Authorization [T2 A14]', () => {
  it.each([
    ['', '401 key_missing'],
    ['Bearer', '401 key_missing'],
    ['Bearer ', '401 key_missing'],
    ['Basic YTpi', '401 key_missing'],
    ['Bearer a b', '401 key_missing'],
    ['Bearer \u00e9', '401 key_missing'],
    [`Bearer ${'x'.repeat(513)}`, '401 key_missing'],
    ['Bearer __proto__', '401 key_unknown'],
    ['Bearer rt_', '401 key_unknown'],
    ['Bearer rt___', '401 key_unknown'],
    ['Bearer rt_{t:x}_key-1_a', '401 key_unknown'],
  ])('that names no key is refused (%#)', async (authorization, code) => {
    for (const target of ['/whoami', '/cache/ns/key', '/admin/tenants/tenant-01hzzzzzzzzzzzzzzzzzzzzzzz'])
      expectProblem(await door.call({ target, headers: { authorization } }), code);
  });

  it('may be written bearer, with spaces around', async () => {
    const headers = { authorization: `  bearer ${owner.key}  ` };
    expect((await door.call({ target: '/whoami', headers })).status).toBe(200);
  });

  it('is one header: two are none', async () => {
    const headers = { authorization: `Bearer ${owner.key}`, Authorization: `Bearer ${owner.key}` };
    expectProblem(await door.call({ target: '/whoami', headers }), '401 key_missing');
  });
});

describe('Idempotency-Key [A14]', () => {
  const body = '{"name":"Acme","owner":{"id":"o","name":"Ada","email":"ada@acme.test"}}';
  const create = (idempotencyKey: string, sent = body) =>
    door.call({
      method: 'POST',
      target: '/admin/tenants',
      key: ADMIN_KEY,
      headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
      body: sent,
    });

  it.each(['', ' ', 'a b', 'x'.repeat(256), '\u00e9', 'a\tb', 'a\u0000b'])(
    'is 1 to 255 printable characters, or nothing is made (%#)',
    async (key) => {
      const before = await countTenants(door.app);
      const problem = expectProblem(await create(key), '400 invalid_request');
      expect(problem.errors?.map(({ field }) => field)).toEqual(['header.idempotency-key']);
      expect(await countTenants(door.app)).toBe(before);
    },
  );

  it('makes one tenant, however often and at once it is sent', async () => {
    const before = await countTenants(door.app);
    const replies = await Promise.all(Array.from({ length: 8 }, () => create('{t:x}:*__proto__')));
    for (const reply of replies) if (reply.status !== 201) expectProblem(reply, '409 idempotency_in_progress');
    const again = await create('{t:x}:*__proto__');
    expect([again.status, again.headers['idempotency-status']]).toEqual([201, 'replayed']);
    expectProblem(await create('{t:x}:*__proto__', body.replace('Acme', 'Other')), '422 idempotency_key_reused');
    expect(await countTenants(door.app)).toBe(before + 1);
  });

  it('is not used up by a request that was refused', async () => {
    expectProblem(await create('later', '{}'), '400 invalid_request');
    expect((await create('later')).status).toBe(201);
  });
});
