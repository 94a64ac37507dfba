/** Ids, namespaces and keys that are dangerous elsewhere: refused with a code, or stored as what they are. */
import { beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_KEY, newTenant, type TestTenant } from '../support/app.ts';
import { type Door, openDoor } from '../support/door.ts';
import { expectProblem } from '../support/problem.ts';
import { tenantState } from '../support/tenant-state.ts';

let door: Door;
let owner: TestTenant;
beforeAll(async () => {
  door = await openDoor();
  owner = await newTenant(door.app);
});

/** Every method of a path of the cache, by the owner's key, changes nothing and gets this problem. */
async function expectRefused(path: string, code: string): Promise<void> {
  const before = await tenantState(door.app, owner.tenant.id);
  for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
    const body = method === 'PUT' ? 'x' : undefined;
    const problem = expectProblem(await door.call({ method, target: path, key: owner.key, body }), code);
    expect(JSON.stringify(problem).length).toBeLessThan(2_000);
  }
  expect(await tenantState(door.app, owner.tenant.id)).toEqual(before);
}

const BAD_IDS = [
  ...['{}', '{t:x}', '*', ':', '..', '%2e%2e', 'a%2fb', '%00', '%0d%0a', '__proto__', 'constructor', '%F0%9F%99%82'],
  ...['tenant-', 'tenant-01H', 'TENANT-01hzzzzzzzzzzzzzzzzzzzzzzz', 'tenant-81hzzzzzzzzzzzzzzzzzzzzzzz'],
  'tenant-01hzzzzzzzzzzzzzzzzzzzzzzz%0a',
  'x'.repeat(9_000),
];

describe('a tenant id [A3 A14]', () => {
  const routes = [
    { method: 'GET', path: (id: string) => `/admin/tenants/${id}` },
    { method: 'POST', path: (id: string) => `/admin/tenants/${id}/keys`, body: '{}' },
  ];
  it.each(BAD_IDS)('that is none is told so, and not looked up: %s', async (id) => {
    for (const { method, path, body } of routes) {
      const headers = { 'content-type': 'application/json' };
      const reply = await door.call({ method, target: path(id), key: ADMIN_KEY, headers, body });
      expectProblem(reply, id.includes('%2f') ? '404 route_not_found' : '400 invalid_request');
    }
  });

  it('that nobody has is not found', async () => {
    const target = '/admin/tenants/tenant-01hzzzzzzzzzzzzzzzzzzzzzzz';
    expectProblem(await door.call({ target, key: ADMIN_KEY }), '404 tenant_not_found');
  });
});

describe('a namespace [C1 A14]', () => {
  const bad = [
    '{}',
    '*',
    ':',
    '..',
    '.hidden',
    '-',
    '_',
    'a:b',
    'a%20b',
    '%00',
    '%0d%0aX:1',
    '%c5%be',
    '__proto__',
    'x'.repeat(65),
  ];
  it.each(bad)('that is none is refused everywhere: %s', async (namespace) => {
    await expectRefused(`/cache/${namespace}/key`, '400 invalid_request');
  });

  it('may be any word, also one that objects have', async () => {
    for (const namespace of ['constructor', 'toString', 'a', 'A..b', 'x'.repeat(64)]) {
      const target = `/cache/${namespace}/key`;
      expect((await door.call({ method: 'PUT', target, key: owner.key, body: namespace })).status).toBe(201);
      expect((await door.call({ target, key: owner.key })).body.toString()).toBe(namespace);
    }
  });
});

describe('a key in the path [C1 A14]', () => {
  const bad = [
    ...['%00', 'a%00b', '%0d%0aSet-Cookie:x', '%1b', '%7f', 'a%3fb', 'a%23b', '%ef%bf%bd', 'x'.repeat(1_025)],
    '%c5%be'.repeat(513),
  ];
  it.each(bad)('that cannot travel unharmed is refused everywhere: %s', async (key) => {
    await expectRefused(`/cache/ns/${key}`, '400 invalid_request');
  });

  it.each(['%ed%a0%80', '%ff', '%c0%af', '%', '%2', '%zz', '%e2%82'])(
    'that is not UTF-8 is refused before any function: %s',
    async (key) => {
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const reply = await door.call({ method, target: `/cache/ns/${key}`, key: owner.key, body: 'x' });
        expectProblem(reply, '400 invalid_request');
      }
    },
  );

  it('is taken as it is otherwise, each a key of its own', async () => {
    const tenant = await newTenant(door.app);
    const odd = [
      '{}',
      '{a}{b}',
      '*',
      '[a-z]',
      ':',
      'a:b',
      '..',
      '../x',
      'a/../b',
      'a//b',
      '/',
      '%252f',
      '%255c',
      '__proto__',
      'constructor',
      "';--",
      '$(x)',
      '%e2%80%8f',
      '%20',
      'x'.repeat(1_024),
    ];
    for (const key of odd) {
      const reply = await door.call({ method: 'PUT', target: `/cache/ns/${key}`, key: tenant.key, body: `of ${key}` });
      expect([key, reply.status]).toEqual([key, 201]);
    }
    for (const key of odd) {
      expect((await door.call({ target: `/cache/ns/${key}`, key: tenant.key })).body.toString()).toBe(`of ${key}`);
    }
    const { used } = await door.app.account.identify(tenant.caller);
    expect(used.entries).toBe(odd.length);
    for (const key of odd)
      expect((await door.call({ method: 'DELETE', target: `/cache/ns/${key}`, key: tenant.key })).status).toBe(204);
    expect((await door.app.account.identify(tenant.caller)).used).toMatchObject({ entries: 0, memory_bytes: 0 });
  });

  it('is the same with %2F and with /', async () => {
    await door.call({ method: 'PUT', target: '/cache/ns/one%2Ftwo', key: owner.key, body: 'same' });
    expect((await door.call({ target: '/cache/ns/one/two', key: owner.key })).body.toString()).toBe('same');
  });
});

describe('a path nobody serves [A14]', () => {
  const paths = [
    '/',
    '//',
    '/cache',
    '/cache/',
    '/cache',
    '/cache/ns/',
    '/whoami/',
    '//whoami',
    '/WHOAMI',
    '/whoami/..',
    '/health',
    '/health/live/',
    '/__proto__',
    '/%00',
    '/cache//key',
  ];
  it.each(paths)('is a 404 problem, with a key and without: %s', async (target) => {
    for (const key of [undefined, owner.key]) expectProblem(await door.call({ target, key }), '404 route_not_found');
  });

  it.each(['POST', 'PATCH', 'PUT', 'DELETE', 'TRACE', 'PROPFIND'])('also for the method %s', async (method) => {
    expectProblem(await door.call({ method, target: '/whoami', key: owner.key }), '404 route_not_found');
  });
});
