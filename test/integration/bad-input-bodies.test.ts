/** Bodies that are not what an endpoint takes: each a problem with its own code, and nothing is made of them. */
import { gzipSync } from 'node:zlib';
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

const MIB = 1024 * 1024;
const JSON_TYPE = { 'content-type': 'application/json' };
const TENANT = { name: 'Acme', owner: { id: 'o', name: 'Ada', email: 'ada@acme.test' } };
const tenantWith = (changes: object) => JSON.stringify({ ...TENANT, ...changes });
const ownerWith = (changes: object) => tenantWith({ owner: { ...TENANT.owner, ...changes } });
const nested = (depth: number) => `{"name":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;

const create = (body: DoorRequest['body'], headers: Readonly<Record<string, string>> = JSON_TYPE): DoorRequest => ({
  method: 'POST',
  target: '/admin/tenants',
  key: ADMIN_KEY,
  headers,
  body,
});

const UNREADABLE: readonly [what: string, code: string, request: DoorRequest][] = [
  ['nothing', '400 invalid_json', create(undefined)],
  ['spaces', '400 invalid_json', create('  \n')],
  ['half an object', '400 invalid_json', create('{"name":')],
  ['two objects', '400 invalid_json', create('{}{}')],
  ['a comment', '400 invalid_json', create('{/* */}')],
  ['NaN', '400 invalid_json', create('{"name":NaN}')],
  ['a byte-order mark', '400 invalid_json', create('\ufeff{}')],
  ['bytes that are not UTF-8', '400 invalid_json', create(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]))],
  ['UTF-16', '400 invalid_json', create(Buffer.from(tenantWith({}), 'utf16le'))],
  ['33 levels', '400 invalid_json', create(nested(33))],
  ['a million levels', '400 invalid_json', create('['.repeat(MIB))],
  ['a name twice', '400 invalid_json', create('{"name":"a","name":"b"}')],
  ['a name twice, once escaped', '400 invalid_json', create('{"name":"a","n\\u0061me":"b"}')],
  ['__proto__', '400 invalid_json', create('{"__proto__":{"name":"x"}}')],
  ['__proto__ deep below', '400 invalid_json', create('{"settings":{"a":[{"\\u005f_proto__":1}]}}')],
  ['32 levels', '400 invalid_request', create(nested(32))],
  ['null', '400 invalid_request', create('null')],
  ['an array', '400 invalid_request', create('[]')],
  ['a string', '400 invalid_request', create('"{}"')],
  ['no content type', '415 unsupported_media_type', create('{}', {})],
  ['text', '415 unsupported_media_type', create('{}', { 'content-type': 'text/plain' })],
  ['a form', '415 unsupported_media_type', create('a=b', { 'content-type': 'application/x-www-form-urlencoded' })],
  ['two content types', '415 unsupported_media_type', create('{}', { 'content-type': 'application/json,text/json' })],
  ['latin-1', '415 unsupported_media_type', create('{}', { 'content-type': 'application/json; charset=latin1' })],
  ['UTF-7', '415 unsupported_media_type', create('{}', { 'content-type': 'application/json;charset="utf-7"' })],
  ['gzip', '415 unsupported_media_type', create(gzipSync('{}'), { ...JSON_TYPE, 'content-encoding': 'gzip' })],
  ['an unknown encoding', '415 unsupported_media_type', create('{}', { ...JSON_TYPE, 'content-encoding': 'x, br' })],
  ['4 MiB and one byte', '413 body_too_large', create(`{"name":"${'x'.repeat(4 * MIB - 10)}"}`)],
];

describe('a body that cannot be read [A1 A14]', () => {
  it.each(UNREADABLE)('is refused: %s, as %s', async (_what, code, request) => {
    const before = await countTenants(door.app);
    expectProblem(await door.call(request), code);
    expect(await countTenants(door.app)).toBe(before);
  });

  it('is refused by the gateway when the event would be too large', async () => {
    const before = await countTenants(door.app);
    expectProblem(await door.call(create(Buffer.alloc(6 * MIB, '"'))), '413 body_too_large');
    expect(await countTenants(door.app)).toBe(before);
  });

  it.each(['application/json', 'APPLICATION/JSON; charset=UTF-8', 'application/json;charset="utf-8"'])(
    'is not one of %s',
    async (type) => {
      expect((await door.call(create(tenantWith({}), { 'content-type': type }))).status).toBe(201);
    },
  );
});

/** What is wrong with it, where the problem must say so, and the body. */
const MISFITS: readonly [field: string, body: string][] = [
  ['body.name', tenantWith({ name: undefined })],
  ['body.name', tenantWith({ name: '' })],
  ['body.name', tenantWith({ name: '   ' })],
  ['body.name', tenantWith({ name: 'x'.repeat(121) })],
  ['body.name', tenantWith({ name: 'a\u0000b' })],
  ['body.name', tenantWith({ name: 'a\r\nb' })],
  ['body.name', `{"name":"\\ud800","owner":${JSON.stringify(TENANT.owner)}}`],
  ['body.name', tenantWith({ name: 1 })],
  ['body.name', tenantWith({ name: ['a'] })],
  ['body.owner', tenantWith({ owner: null })],
  ['body.owner', ownerWith({ admin: true })],
  ['body.owner.id', ownerWith({ id: 'x'.repeat(129) })],
  ['body.owner.email', ownerWith({ email: 'no-address' })],
  ['body.owner.email', ownerWith({ email: 'a@b.test\nBcc: c@d.test' })],
  ['body.owner.email', ownerWith({ email: `${'a'.repeat(250)}@acme.test` })],
  ['body.owner.email', ownerWith({ email: 'a@'.repeat(20_000) })],
  ['body.plan', tenantWith({ plan: 'platinum' })],
  ['body.plan', tenantWith({ plan: 'constructor' })],
  ['body.isolation_level', tenantWith({ isolation_level: 'none' })],
  ['body.encryption', tenantWith({ encryption: 'false' })],
  ['body', tenantWith({ id: 'tenant-01hzzzzzzzzzzzzzzzzzzzzzzz' })],
  ['body', tenantWith({ status: 'active' })],
  ['body', tenantWith({ constructor: 1 })],
  ['body', tenantWith({ ['x\u202e'.repeat(5_000)]: 1 })],
  ['body.quotas', tenantWith({ quotas: [] })],
  ['body.quotas', tenantWith({ quotas: { bytes: 1 } })],
  ...['-1', '1.5', '9007199254740992', '1e400', '-1e400', '"1"', 'null', 'true', '[1]'].map(
    (value): [string, string] => [
      'body.quotas.memory_bytes',
      tenantWith({ quotas: { memory_bytes: 0 } }).replace(':0}', `:${value}}`),
    ],
  ),
  ['body.quotas.operations_per_minute', tenantWith({ quotas: { operations_per_minute: 60_000_001 } })],
  ['body.settings', tenantWith({ settings: [] })],
  ['body.settings.a', tenantWith({ settings: { a: {} } })],
  ['body.settings.a', tenantWith({ settings: { a: 'x'.repeat(1_001) } })],
  ['body.settings.a', '{"name":"a","owner":{"id":"o","name":"A","email":"a@b.test"},"settings":{"a":1e400}}'],
];

describe('a field that does not fit [A1 T1 T4 A14]', () => {
  it.each(MISFITS)('is named, and no tenant is made: %s (%#)', async (field, body) => {
    const before = await countTenants(door.app);
    const problem = expectProblem(await door.call(create(body)), '400 invalid_request');
    expect(problem.errors?.map((error) => error.field)).toContain(field);
    expect(JSON.stringify(problem).length).toBeLessThan(1_000);
    expect(await countTenants(door.app)).toBe(before);
  });

  it('is named together with every other one', async () => {
    const body = JSON.stringify({
      name: 1,
      owner: { id: 1, name: 'A', email: 'x' },
      plan: 'x',
      quotas: { memory_bytes: -1 },
    });
    const { errors } = expectProblem(await door.call(create(body)), '400 invalid_request');
    expect(errors?.map(({ field }) => field).sort()).toEqual(
      ['body.name', 'body.owner.email', 'body.owner.id', 'body.plan', 'body.quotas.memory_bytes'].sort(),
    );
  });

  const keyMisfits: readonly [field: string, body: string][] = [
    ['body.scopes', '{"scopes":[]}'],
    ['body.scopes', '{"scopes":"*"}'],
    ['body.scopes.0', '{"scopes":["admin"]}'],
    ['body.scopes.1', '{"scopes":["*","cache:read cache:write"]}'],
    ['body.scopes', `{"scopes":${JSON.stringify(Array(33).fill('*'))}}`],
    ...[
      '"tomorrow"',
      '"2026-02-30T00:00:00Z"',
      '"2026-01-01"',
      '1',
      '"1970-01-01T00:00:00Z"',
      '"0001-01-01T00:00:00Z"',
      '"1969-12-31T23:59:59.999Z"',
    ].map((at): [string, string] => ['body.expires_at', `{"expires_at":${at}}`]),
    ['body', '{"expires_in":1}'],
  ];
  it.each(keyMisfits)('is named, and no key is made: %s (%#)', async (field, body) => {
    const target = `/admin/tenants/${owner.tenant.id}/keys`;
    const before = await tenantState(door.app, owner.tenant.id);
    const reply = await door.call({ method: 'POST', target, key: ADMIN_KEY, headers: JSON_TYPE, body });
    const problem = expectProblem(reply, '400 invalid_request');
    expect(problem.errors?.map((error) => error.field)).toContain(field);
    expect(await tenantState(door.app, owner.tenant.id)).toEqual(before);
  });
});

describe('a value [C1 A14]', () => {
  const target = '/cache/values/one';
  const put = (body: string | Buffer, headers: Readonly<Record<string, string>>) =>
    door.call({ method: 'PUT', target, key: owner.key, headers, body });

  it.each(['', '{', '{"a":1}x', "{'a':1}", '01', '[1,]', `${'['.repeat(1_001)}${']'.repeat(1_001)}`])(
    'that says it is JSON and is not is refused, and nothing stored (%#)',
    async (body) => {
      const before = await tenantState(door.app, owner.tenant.id);
      for (const type of ['application/json', 'application/vnd.acme+json'])
        expectProblem(await put(body, { 'content-type': type }), '400 invalid_json');
      expectProblem(await put(Buffer.from([0x22, 0xff, 0x22]), JSON_TYPE), '400 invalid_json');
      expect(await tenantState(door.app, owner.tenant.id)).toEqual(before);
    },
  );

  it.each([
    '"123"',
    '9007199254740993',
    '1e400',
    '{"a":1,"a":2}',
    '{"__proto__":{"x":1}}',
    ' {\r\n\t"a" : 1.0 } \n',
    '"\\ud800"',
    'null',
    `${'['.repeat(1_000)}${']'.repeat(1_000)}`,
  ])('of JSON comes back byte for byte (%#)', async (body) => {
    expect((await put(body, JSON_TYPE)).status).toBeLessThan(300);
    const reply = await door.call({ target, key: owner.key });
    expect(reply.body.toString()).toBe(body);
    expect(reply.headers['content-type']).toBe('application/json');
  });

  it('that is encoded or too large is refused, and nothing stored', async () => {
    const before = await tenantState(door.app, owner.tenant.id);
    const bytes = { 'content-type': 'application/octet-stream' };
    expectProblem(await put(gzipSync('x'), { ...bytes, 'content-encoding': 'gzip' }), '415 unsupported_media_type');
    expectProblem(await put(Buffer.alloc(4 * MIB + 1), bytes), '413 body_too_large');
    expect(await tenantState(door.app, owner.tenant.id)).toEqual(before);
  });

  it('may be a page: it comes back so that no browser runs it', async () => {
    await put('<script>alert(1)</script>', { 'content-type': 'text/html' });
    const { headers } = await door.call({ target, key: owner.key });
    expect(headers).toMatchObject({ 'content-type': 'text/html', 'x-content-type-options': 'nosniff' });
    expect(headers['content-security-policy']).toMatch(/default-src 'none'.*sandbox/);
  });
});
