/** `POST /ratelimit/{name}` through the door, and `Idempotency-Key` on a tenant's route. */
import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newTenant, type TestTenant } from '../support/app.ts';
import { auditRecords } from '../support/audit-tenant.ts';
import { type Door, openDoor } from '../support/door.ts';
import { gateState } from '../support/gate-state.ts';
import { expectCommonHeaders, expectProblem } from '../support/problem.ts';
import { tenantState } from '../support/tenant-state.ts';

let door: Door;
let tenant: TestTenant;
beforeAll(async () => {
  door = await openDoor();
});
beforeEach(async () => {
  tenant = await newTenant(door.app);
});

const post = (body: object, more: { key?: string; headers?: Record<string, string>; name?: string } = {}) =>
  door.call({
    method: 'POST',
    target: `/ratelimit/${more.name ?? 'logins'}`,
    key: more.key ?? tenant.key,
    headers: { 'content-type': 'application/json', ...more.headers },
    body: JSON.stringify({ identifier: 'user-1', limit: 2, window_ms: 60_000, ...body }),
  });
const json = ({ body }: { body: Buffer }) => JSON.parse(`${body}`);

describe('POST /ratelimit/{name} [T5 A14]', () => {
  it('says 200 whether it is allowed or not, with all there is to know', async () => {
    const before = Date.now();
    const first = await post({});
    expectCommonHeaders(first.headers);
    expect(first.headers).toHaveProperty('ratelimit');
    expect([first.status, json(first)]).toMatchObject([
      200,
      { allowed: true, limit: 2, remaining: 1, retry_after_ms: null, algorithm: 'fixed_window' },
    ]);
    expect(Object.keys(json(first))).not.toContain('degraded');
    const resetMs = Date.parse(json(first).reset_at) - before;
    expect(resetMs).toBeGreaterThan(55_000);
    await post({});
    const third = await post({});
    expect([third.status, json(third)]).toMatchObject([200, { allowed: false, remaining: 0 }]);
    expect(json(third).reset_at).toBe(json(first).reset_at);
    expect(json(third).retry_after_ms).toBeGreaterThan(0);
    expect(json(third).retry_after_ms).toBeLessThanOrEqual(60_000);
  });

  it('takes cost, algorithm and what to do without the store', async () => {
    const bucket = { algorithm: 'token_bucket', cost: 2, on_unavailable: 'allow' };
    expect(json(await post(bucket))).toMatchObject({ allowed: true, remaining: 0, algorithm: 'token_bucket' });
    expect(json(await post({ ...bucket, cost: 0 }))).toMatchObject({ allowed: false });
  });

  it.each<[string, object]>([
    ['body.identifier', { identifier: '' }],
    ['body.identifier', { identifier: 'x'.repeat(257) }],
    ['body.identifier', { identifier: undefined }],
    ['body.limit', { limit: 0, cost: 0 }],
    ['body.limit', { limit: 1_000_001 }],
    ['body.limit', { limit: '5' }],
    ['body.window_ms', { window_ms: 0 }],
    ['body.window_ms', { window_ms: 2_592_000_001 }],
    ['body.window_ms', { window_ms: 1.5 }],
    ['body.cost', { cost: 3 }],
    ['body.cost', { cost: -1 }],
    ['body.algorithm', { algorithm: 'sliding' }],
    ['body.on_unavailable', { on_unavailable: 'maybe' }],
    ['body', { window_seconds: 1 }],
  ])('refuses a wrong %s: %j', async (field, body) => {
    const reply = await post(body);
    expectProblem(reply, '400 invalid_request');
    expect(json(reply).errors).toMatchObject([{ field }]);
  });

  it.each(['a:b', '%00', '-x', 'x'.repeat(65)])('refuses the name %j', async (name) => {
    expectProblem(await post({}, { name: encodeURIComponent(name) }), '400 invalid_request');
  });

  it('answers 429 for the calls of the tenant itself, which is another thing', async () => {
    await gateState(door.app, tenant.tenant.id).setRate(0, 0);
    expectProblem(await post({}), '429 quota_exceeded');
  });

  it('answers 507 when memory is full', async () => {
    const gate = gateState(door.app, tenant.tenant.id);
    await gate.setLimits({ quotas: { ...tenant.tenant.quotas, memory_bytes: 100 } });
    expectProblem(await post({}), '507 memory_full');
  });
});

describe("Idempotency-Key on a tenant's route [A14]", () => {
  const headers = () => ({ 'idempotency-key': randomUUID() });

  it('counts once what is sent twice, and gives the same answer', async () => {
    const named = { headers: headers() };
    const [first, second] = [await post({}, named), await post({}, named)];
    expect(second.body).toEqual(first.body);
    expect([first, second].map((reply) => reply.headers['idempotency-status'])).toEqual(['stored', 'replayed']);
    expect(second.headers).toHaveProperty('ratelimit');
    expect(json(await post({}))).toMatchObject({ remaining: 0 });
    expect(await auditRecords(door.app, tenant.tenant.id)).toEqual({ c: 0, l: 1, i: 1, s: 0 });
    expect(await gateState(door.app, tenant.tenant.id).meter()).toMatchObject({ ops: 3n });
  });

  it('refuses another body under the same key', async () => {
    const named = { headers: headers() };
    await post({}, named);
    expectProblem(await post({ limit: 3 }, named), '422 idempotency_key_reused');
  });

  it('leaves no record of a caller without a good key, anywhere', async () => {
    const { keyPrefix } = door.app.config.cache;
    const all = async () =>
      ((await door.app.redis.send(['KEYS', `${keyPrefix}:*`], { kind: 'read' })) as readonly string[]).toSorted();
    const { key } = await door.app.apiKeys.create(tenant.tenant.id, { scopes: ['cache:read'], expires_at: null });
    const wrong = `${tenant.key.slice(0, -1)}${tenant.key.endsWith('A') ? 'B' : 'A'}`;
    const [names, state] = [await all(), await tenantState(door.app, tenant.tenant.id)];
    expectProblem(await post({}, { key: wrong, headers: headers() }), '401 key_unknown');
    expectProblem(await post({}, { key, headers: headers() }), '403 scope_missing');
    expect(await tenantState(door.app, tenant.tenant.id)).toEqual(state);
    expect(await all()).toEqual(names);
  });
});
