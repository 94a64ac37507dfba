/** `Idempotency-Key` through the door: creating a tenant or a key twice makes one. */
import { randomUUID } from 'node:crypto';
import type { Context } from 'aws-lambda';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createLambdaContext } from '../../infra/local/host/lambda-context.ts';
import { route } from '../../lib/http/route.ts';
import { createTenantContract } from '../../lib/tenants/contract.ts';
import { ADMIN_KEY } from '../support/app.ts';
import { type Door, openDoor } from '../support/door.ts';
import { expectProblem } from '../support/problem.ts';
import { countTenants } from '../support/tenant-state.ts';

const BODY = '{"name":"Acme","owner":{"id":"o","name":"Ada","email":"ada@acme.test"}}';

describe('creating with an Idempotency-Key [T1 T2 A14]', () => {
  let door: Door;
  beforeAll(async () => {
    door = await openDoor();
  });

  const post = (target: string, body: string, idempotencyKey: string) =>
    door.call({
      method: 'POST',
      target,
      key: ADMIN_KEY,
      headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
      body,
    });
  const create = (idempotencyKey: string, body = BODY) => post('/admin/tenants', body, idempotencyKey);

  it('gives the same tenant, and takes one place', async () => {
    const key = randomUUID();
    const before = await countTenants(door.app);
    const first = await create(key);
    const second = await create(key);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body).toEqual(first.body);
    expect([first, second].map(({ headers }) => headers['idempotency-status'])).toEqual(['stored', 'replayed']);
    expect((await countTenants(door.app)) - before).toBe(1);
  });

  it('makes one tenant when the same call comes eight times at once', async () => {
    const key = randomUUID();
    const before = await countTenants(door.app);
    const replies = await Promise.all(Array.from({ length: 8 }, () => create(key)));
    const made = replies.filter(({ status }) => status === 201).map(({ body }) => JSON.parse(`${body}`).id);
    expect(new Set(made).size).toBe(1);
    for (const reply of replies) if (reply.status !== 201) expectProblem(reply, '409 idempotency_in_progress');
    expect((await countTenants(door.app)) - before).toBe(1);
  });

  it('refuses another body under the same key', async () => {
    const key = randomUUID();
    await create(key);
    const before = await countTenants(door.app);
    expectProblem(await create(key, BODY.replace('Acme', 'Other')), '422 idempotency_key_reused');
    expect(await countTenants(door.app)).toBe(before);
  });

  it('takes another query for another request', async () => {
    const key = randomUUID();
    // No POST takes a query today: one is made here that does.
    const query = z.strictObject({ dry_run: z.string().optional() });
    const handler = route({ ...createTenantContract, query }, async () => ({ status: 200, data: {} }));
    const context = createLambdaContext({ name: 'any', memoryMb: 512, timeoutMs: 10_000 }, randomUUID());
    const call = (given: Record<string, string>) =>
      handler(
        {
          rawPath: '/admin/tenants',
          rawQueryString: new URLSearchParams(given).toString(),
          queryStringParameters: given,
          headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json', 'idempotency-key': key },
          body: BODY,
        },
        context as Context,
      );
    expect((await call({})).statusCode).toBe(200);
    expect(await call({ dry_run: 'true' })).toMatchObject({
      statusCode: 422,
      body: expect.stringContaining('idempotency_key_reused'),
    });
  });

  it('refuses a query that no endpoint named, and creates nothing', async () => {
    const before = await countTenants(door.app);
    expectProblem(await post('/admin/tenants?dry_run=true', BODY, randomUUID()), '400 invalid_request');
    expect(await countTenants(door.app)).toBe(before);
  });

  it('shows the same API key again, and does not keep it where it can be read', async () => {
    const { id } = JSON.parse(`${(await create(randomUUID())).body}`);
    const [target, key] = [`/admin/tenants/${id}/keys`, randomUUID()];
    const first = await post(target, '{}', key);
    expect((await post(target, '{}', key)).body).toEqual(first.body);
    const secret = JSON.parse(`${first.body}`).key.slice(-43);
    const prefix = door.app.config.cache.keyPrefix;
    const names = (await door.app.redis.send(['KEYS', `${prefix}:*:idem:*`], { kind: 'read' })) as readonly string[];
    const records = await door.app.redis.sendAll(
      names.map((name) => ['HGETALL', name]),
      { kind: 'read' },
    );
    expect(records.length).toBeGreaterThan(0);
    for (const field of records.flat() as string[]) {
      expect(field).not.toContain(secret);
      expect(Buffer.from(field.slice(3), 'base64url').toString('latin1')).not.toContain(secret);
    }
  });
});
