/** What the session endpoints do not take: each named, and nothing is made or changed. */
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { newTenant, type TestTenant } from '../support/app.ts';
import { type Door, openDoor } from '../support/door.ts';
import { expectProblem } from '../support/problem.ts';
import { auditSessions } from '../support/session-audit.ts';
import { type Headers, jsonOf, sessionDoor } from '../support/session-door.ts';
import { tenantState } from '../support/tenant-state.ts';

let door: Door;
let owner: TestTenant;
let sessions: ReturnType<typeof sessionDoor>;
let id: string;
beforeAll(async () => {
  door = await openDoor();
  owner = await newTenant(door.app);
  sessions = sessionDoor(door, owner.key);
  ({ id } = await sessions.made('{"user_id":"ada","data":{"a":1}}'));
});

const MIB = 1024 * 1024;
const keysOf = (count: number) =>
  JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i])));
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

interface Bad {
  readonly send: readonly [method: string, path: string, body?: string | undefined, headers?: Headers];
  /** `400 invalid_request` and a field; or another code. */
  readonly answer: string;
}

const of = (method: string, path: string, cases: readonly (readonly [string, string])[]): readonly Bad[] =>
  cases.map(([body, answer]) => ({ send: [method, path, body], answer }));

const LIFETIMES = ['0', '-1', '1.5', '"60"', 'null', '1e9', '2592001', '9007199254740993', '[]'];
const USERS = ['""', '1', '[]', '"a\\nb"', '"\\ud800"', `"${'x'.repeat(257)}"`, `"${'é'.repeat(129)}"`];
const KEYS = ['', 'a\\u0000', 'a\\n', '\\u007f', '\\udc00', 'x'.repeat(257), 'é'.repeat(129)];
const UNREADABLE = [
  '{',
  '[1,]',
  '01',
  'NaN',
  nested(33),
  '{"a":1,"a":2}',
  '{"__proto__":1}',
  '{"a":{"\\u005f_proto__":1}}',
];

const BAD: readonly Bad[] = [
  ...of('POST', '/sessions', [
    ...LIFETIMES.map((value): [string, string] => [`{"ttl_seconds":${value}}`, 'ttl_seconds']),
    ...LIFETIMES.map((value): [string, string] => [`{"max_lifetime_seconds":${value}}`, 'max_lifetime_seconds']),
    ...USERS.map((value): [string, string] => [`{"user_id":${value}}`, 'body.user_id']),
    ...KEYS.map((key): [string, string] => [`{"data":{"${key}":1}}`, 'body.data']),
    ...['[]', 'null', '"a"', '1'].map((value): [string, string] => [`{"data":${value}}`, 'body.data']),
    [`{"data":${keysOf(513)}}`, 'body.data'],
    ['{"metadata":null}', 'body.metadata'],
    ['{"metadata":{"ip":"x"}}', 'body.metadata'],
    ['{"metadata":{"client_ip":1}}', 'body.metadata.client_ip'],
    ['{"metadata":{"user_agent":"\\udc00"}}', 'body.metadata.user_agent'],
    [`{"metadata":{"source":"${'x'.repeat(513)}"}}`, 'body.metadata.source'],
    ['{"metadata":{"attributes":[]}}', 'body.metadata.attributes'],
    ['{"metadata":{"attributes":{"a":1}}}', 'body.metadata.attributes'],
    [`{"metadata":{"attributes":{"a":"${'x'.repeat(257)}"}}}`, 'body.metadata.attributes'],
    [`{"metadata":{"attributes":{"${'x'.repeat(257)}":"a"}}}`, 'body.metadata.attributes'],
    [`{"metadata":{"attributes":${keysOf(33).replace(/:(\d+)/g, ':"$1"')}}}`, 'body.metadata.attributes'],
    ['{"id":"session-x"}', 'body'],
    ['[]', 'body'],
    ['null', 'body'],
    ...UNREADABLE.map((body): [string, string] => [body, '400 invalid_json']),
    ...UNREADABLE.slice(4).map((value): [string, string] => [`{"data":{"x":${value}}}`, '400 invalid_json']),
    [`{"data":{"a":"${'x'.repeat(MIB)}"}}`, '413 body_too_large'],
    [`{"data":{"a":"${'x'.repeat(4 * MIB)}"}}`, '413 body_too_large'],
  ]),
  ...of('PATCH', '/data', [
    ['{}', 'body'],
    ['{"set":{},"remove":[]}', 'body'],
    ['{"set":{"a":1},"remove":["b","a"]}', 'body.remove'],
    ['{"set":[]}', 'body.set'],
    ['{"remove":{}}', 'body.remove'],
    ['{"remove":[1]}', 'body.remove.0'],
    ['{"data":{"a":1}}', 'body'],
    ...KEYS.map((key): [string, string] => [`{"set":{"${key}":1}}`, 'body.set']),
    ...[...KEYS, '__proto__'].map((key): [string, string] => [`{"remove":["${key}"]}`, 'body.remove.0']),
    [`{"set":${keysOf(513)}}`, 'body.set'],
    [`{"remove":${JSON.stringify(Array.from({ length: 513 }, (_, i) => `k${i}`))}}`, 'body.remove'],
    ...['', ...UNREADABLE].map((body): [string, string] => [body, '400 invalid_json']),
    ...UNREADABLE.slice(4).map((value): [string, string] => [`{"set":{"x":${value}}}`, '400 invalid_json']),
    [`{"set":${keysOf(512)}}`, '413 body_too_large'],
    [`{"set":{"b":"${'x'.repeat(MIB)}"}}`, '413 body_too_large'],
  ]),
  ...of('PUT', '/data/a', [
    ...['', ...UNREADABLE].map((body): [string, string] => [body, '400 invalid_json']),
    [`"${'x'.repeat(MIB)}"`, '413 body_too_large'],
    [`"${'x'.repeat(4 * MIB)}"`, '413 body_too_large'],
  ]),
  ...['%00', 'a%0a', '%7f', 'x'.repeat(257), '__proto__'].flatMap((key): Bad[] => [
    { send: ['PUT', `/data/${key}`, '1'], answer: 'path.key' },
    { send: ['DELETE', `/data/${key}`], answer: 'path.key' },
  ]),
  ...of('POST', '/touch', [
    ...LIFETIMES.map((value): [string, string] => [`{"ttl_seconds":${value}}`, 'ttl_seconds']),
    ['{"max_lifetime_seconds":60}', 'body'],
    ['{', '400 invalid_json'],
  ]),
  ...of('POST', '/rotate', [
    ...USERS.map((value): [string, string] => [`{"user_id":${value}}`, 'body.user_id']),
    ['{"id":"session-x"}', 'body'],
  ]),
  ...['', 'user_id=', 'user_id=%0a', `user_id=${'x'.repeat(257)}`, 'user_id=a&user_id=%00'].flatMap((query): Bad[] => [
    { send: ['GET', `/sessions?${query}`], answer: 'query.user_id' },
    { send: ['DELETE', `/sessions?${query}`], answer: 'query.user_id' },
  ]),
  { send: ['GET', '/sessions?user_id=ada&limit=0'], answer: 'query.limit' },
  { send: ['GET', '/sessions?user_id=ada&limit=101'], answer: 'query.limit' },
  { send: ['GET', '/sessions?user_id=ada&cursor=x'], answer: 'query.cursor' },
  { send: ['GET', `/sessions?user_id=ada&cursor=${'8'.repeat(26)}`], answer: 'query.cursor' },
  { send: ['GET', '/sessions?user_id=ada&prefix=a'], answer: 'query' },
  { send: ['DELETE', '/sessions?user_id=ada&except=session-x'], answer: 'query.except' },
  { send: ['DELETE', '/sessions?user_id=ada&except='], answer: 'query.except' },
  { send: ['DELETE', '/sessions?user_id=ada&dry_run=1'], answer: 'query.dry_run' },
  { send: ['DELETE', '?dry_run=yes'], answer: 'query.dry_run' },
  { send: ['DELETE', '?force=true'], answer: 'query' },
  { send: ['DELETE', '', '{"reason":"x"}'], answer: 'body' },
  { send: ['DELETE', '/data/a?dry_run=true'], answer: 'query' },
  { send: ['PUT', '/data/a?ttl_seconds=1', '1'], answer: 'query' },
  { send: ['GET', '?touch=0'], answer: 'query.touch' },
  { send: ['GET', '', undefined, { 'if-none-match': '1' }], answer: 'header.if-none-match' },
  { send: ['PUT', '/data/a', '1', { 'content-type': 'text/plain' }], answer: '415 unsupported_media_type' },
  { send: ['PUT', '/data/a', '1', { 'content-encoding': 'gzip' }], answer: '415 unsupported_media_type' },
  { send: ['PATCH', '/data', '{"set":{"a":2}}', { 'content-type': '' }], answer: '415 unsupported_media_type' },
];

describe('what the session endpoints do not take [S1 S2 S4 A14]', () => {
  it.each(BAD.map((bad, i) => ({ ...bad, what: `${bad.send.join(' ').slice(0, 60)} (${i})` })))(
    '$what: $answer',
    async ({ send: [method, path, body, headers], answer }) => {
      const before = await tenantState(door.app, owner.tenant.id);
      const target = path.startsWith('/sessions') ? path : `/sessions/${id}${path}`;
      const reply = await sessions.send(method, target, body, headers);
      const isCode = /^\d{3} /.test(answer);
      const problem = expectProblem(reply, isCode ? answer : '400 invalid_request');
      if (!isCode) {
        const fields = problem.errors?.map(({ field }) => field) ?? [];
        expect(
          fields.some((field) => field === answer || field.startsWith(`${answer}.`) || field === `body.${answer}`),
        ).toBe(true);
      }
      expect(JSON.stringify(problem).length).toBeLessThan(1_000);
      const { gate, ...after } = await tenantState(door.app, owner.tenant.id);
      expect(after).toEqual({ record: before.record, index: before.index, keptIndex: before.keptIndex });
      // What only the session can tell passes its gate first: that call is metered.
      if (!answer.startsWith('413') && !/ttl|lifetime/.test(answer)) expect(gate).toEqual(before.gate);
    },
  );

  it('leaves the session as it was', async () => {
    expect(jsonOf(await sessions.get(id))).toMatchObject({ version: 1, data: { a: 1 } });
    await auditSessions(door.app, owner.tenant.id);
  });
});

describe('what they take [S1 S2 A14]', () => {
  it('is as large as it may be', async () => {
    const text = `"${'x'.repeat(MIB - 3)}"`;
    const { id: large } = await sessions.made(`{"data":{"a":${text}}}`);
    expect(String((await sessions.get(large)).body)).toContain(`"data":{"a":${text}}}`);
    expectProblem(await sessions.put(large, 'b', '1'), '413 body_too_large');
    expect((await sessions.update(large, '{"set":{"b":1},"remove":["a"]}')).status).toBe(200);
    const { id: many } = await sessions.made(`{"data":${keysOf(512)}}`);
    expectProblem(await sessions.put(many, 'more', '1'), '413 body_too_large');
    expect(Object.keys(jsonOf(await sessions.get(many)).data)).toHaveLength(512);
  });

  it('is as long and as odd', async () => {
    const attributes = Object.fromEntries(
      Array.from({ length: 32 }, (_, i) => [`${i}`.padEnd(256, '\u0001'), '"'.repeat(256)]),
    );
    const metadata = { client_ip: '', user_agent: '\n'.repeat(512), source: '🙂'.repeat(256), attributes };
    const user_id = `${'é'.repeat(127)} {}`.slice(0, 129);
    const body = { user_id, metadata, ttl_seconds: 1, max_lifetime_seconds: 2_592_000 };
    const made = jsonOf(await sessions.create(JSON.stringify(body)));
    expect(made).toMatchObject({ user_id, ttl_seconds: 1, metadata });
    expect(
      jsonOf<{ items: unknown[] }>(await sessions.list(`user_id=${encodeURIComponent(user_id)}`)).items,
    ).toHaveLength(1);
  });

  it('may come without a content type, where it is a value alone', async () => {
    const reply = await door.call({
      method: 'PUT',
      target: `/sessions/${id}/data/typeless`,
      key: owner.key,
      body: '1.0',
    });
    expect(reply.status).toBe(200);
    const packed = await door.call({
      method: 'PUT',
      target: `/sessions/${id}/data/typeless`,
      key: owner.key,
      headers: { 'content-encoding': 'gzip' },
      body: gzipSync('1'),
    });
    expectProblem(packed, '415 unsupported_media_type');
  });
});
