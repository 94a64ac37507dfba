/** What a caller may not know or do, tried at the edges of the cache's endpoints. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { TenantId } from '../../lib/ids.ts';
import { newTenant } from '../support/app.ts';
import { type Door, openDoor } from '../support/door.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});

const json = (body: Buffer) => JSON.parse(body.toString());
const put = (key: string, target: string, body = 'v') =>
  door.call({ method: 'PUT', target, key, body, headers: { 'content-type': 'text/plain' } });

async function deny(id: TenantId, resource: string) {
  const statements = [{ effect: 'deny' as const, actions: ['cache:*'], resources: [resource] }];
  await door.app.tenantPolicies.set(id, { default: 'allow', statements: statements as never }, {});
}

/** Every page of a list. */
async function pagesOf(key: string, target: string) {
  const found = { keys: [] as string[], cursors: [] as string[] };
  for (let next: string | null = ''; next !== null; ) {
    const reply = await door.call({ key, target: `${target}${next === '' ? '' : `&cursor=${next}`}` });
    const page = json(reply.body);
    found.keys.push(...page.items.map((item: { readonly key: string }) => item.key));
    next = page.next_cursor as string | null;
    if (next !== null) found.cursors.push(next);
  }
  return found;
}

describe('the list of a namespace, of which a policy keeps a part from the caller [C4] [T3]', () => {
  it('names what is kept neither in its items nor in its cursors', async () => {
    const { tenant, key } = await newTenant(door.app);
    const longest = 'z'.repeat(1_017);
    for (const name of ['a', 'secret/1', 'secret/2', `secret/${longest}`, 'zz']) await put(key, `/cache/ns/${name}`);
    await deny(tenant.id, 'cache/ns/secret/*');
    const { keys, cursors } = await pagesOf(key, '/cache/ns?limit=1');
    expect(keys).toEqual(['a', 'zz']);
    expect(cursors).toHaveLength(5);
    for (const cursor of cursors) expect(Buffer.from(cursor, 'base64url').toString('latin1')).not.toContain('secret');
  });

  it('takes such a cursor for the list it is of, unchanged', async () => {
    const { tenant, key } = await newTenant(door.app);
    for (const name of ['secret', 'zz']) await put(key, `/cache/ns/${name}`);
    await deny(tenant.id, 'cache/ns/secret');
    const { cursors } = await pagesOf(key, '/cache/ns?limit=1');
    const [cursor = ''] = cursors;
    const bytes = Buffer.from(cursor, 'base64url');
    bytes.set([(bytes.at(-1) ?? 0) ^ 1], bytes.length - 1);
    const damaged = bytes.toString('base64url');
    const other = await newTenant(door.app);
    for (const [caller, target] of [
      [key, `/cache/ns2?cursor=${cursor}`],
      [key, `/cache/ns?prefix=s&cursor=${cursor}`],
      [key, `/cache/ns?cursor=${damaged}`],
      [key, '/cache/ns?cursor=_w'],
      [other.key, `/cache/ns?cursor=${cursor}`],
    ] as const) {
      const reply = await door.call({ key: caller, target });
      expect(json(reply.body)).toMatchObject({ status: 400, code: 'invalid_request' });
    }
  });
});

describe('metadata [C3]', () => {
  it.each(['content_type', 'version', 'source'])('with spaces at its ends would not come back: %s', async (field) => {
    const { key } = await newTenant(door.app);
    for (const text of [' ', 'a ', ' a']) {
      const body = JSON.stringify({ set: [{ key: 'k', value: 'v', [field]: text }] });
      const headers = { 'content-type': 'application/json' };
      const reply = await door.call({ method: 'POST', target: '/cache/ns', key, body, headers });
      expect(json(reply.body)).toMatchObject({ code: 'invalid_request' });
    }
  });
});

describe.each([false, true])('a number, encryption %s [C1]', (encryption) => {
  it('begins at 0 where it is known that there is none', async () => {
    const { key } = await newTenant(door.app, { encryption });
    expect((await put(key, '/cache/ns/n?negative=true', '')).status).toBe(201);
    const reply = await door.call({ method: 'POST', target: '/cache/ns/n?increment=1', key });
    expect(json(reply.body)).toMatchObject({ value: 1, created: true });
  });
});
