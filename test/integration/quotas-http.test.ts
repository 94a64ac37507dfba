/** Quotas as a tenant sees them over HTTP. */
import { beforeAll, describe, expect, it } from 'vitest';
import { newUlid } from '../../lib/ids.ts';
import {
  GetQuotasResponse,
  ReleaseQuotaResponse,
  ReserveQuotaResponse,
  SettledResponse,
} from '../../lib/quotas/contract.ts';
import { newTenant, type TestTenant } from '../support/app.ts';
import { type Door, type DoorReply, openDoor } from '../support/door.ts';
import { openHolds } from '../support/hold-state.ts';
import { expectProblem, readProblem } from '../support/problem.ts';
import { tenantState } from '../support/tenant-state.ts';

const RESERVATIONS = '/quotas/reservations';
let door: Door;
beforeAll(async () => {
  door = await openDoor();
});

const send = (key: string, target: string, body?: unknown, headers: Record<string, string> = {}): Promise<DoorReply> =>
  door.call({
    method: 'POST',
    target,
    key,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });

const json = (reply: DoorReply): unknown => JSON.parse(reply.body.toString('utf8'));

describe('quotas over HTTP [T4 A14]', () => {
  let owner: TestTenant;
  beforeAll(async () => {
    owner = await newTenant(door.app, { quotas: { operations_per_minute: 1_000_000, storage_bytes: 1_000 } });
  });

  it('are asked, reserved, committed, refunded and released', async () => {
    const { key } = owner;
    const reserved = await send(key, RESERVATIONS, { resource: 'storage_bytes', amount: 600, ttl_seconds: 30 });
    expect(reserved.status).toBe(201);
    const { id, expires_at, ...state } = ReserveQuotaResponse.parse(json(reserved));
    expect(state).toMatchObject({ amount: 600, used: 0, held: 600, left: 400, resets_at: null, resets_in_ms: null });
    expect(Math.abs(Date.parse(expires_at) - Date.now() - 30_000)).toBeLessThan(10_000);
    expect(reserved.headers.ratelimit).toContain('"burst"');

    const asked = await door.call({ target: '/quotas?resource=storage_bytes&amount=401', key });
    expect(GetQuotasResponse.parse(json(asked))).toMatchObject({
      check: { resource: 'storage_bytes', amount: 401, allowed: false },
      quotas: { storage_bytes: { held: 600 }, data_transfer_bytes: { resets_at: expect.any(String) } },
    });
    expect(json(await door.call({ target: '/quotas', key }))).toMatchObject({ check: null });
    expect(json(await door.call({ target: '/quotas?resource=memory_bytes', key }))).toMatchObject({
      check: { amount: 1, allowed: true },
    });

    const committed = await send(key, `${RESERVATIONS}/${id}/commit`, { amount: 250 });
    expect(SettledResponse.parse(json(committed))).toMatchObject({
      id,
      reserved: 600,
      committed: 250,
      used: 250,
      held: 0,
    });
    const other = ReserveQuotaResponse.parse(
      json(await send(key, RESERVATIONS, { resource: 'storage_bytes', amount: 9 })),
    );
    const refunded = await send(key, `${RESERVATIONS}/${other.id}/refund`);
    expect(SettledResponse.parse(json(refunded))).toMatchObject({ reserved: 9, committed: 0, used: 250, held: 0 });
    const released = await send(key, '/quotas/release', { resource: 'storage_bytes', amount: 250 });
    expect(ReleaseQuotaResponse.parse(json(released))).toMatchObject({ released: 250, used: 0 });
    expectProblem(await send(key, `${RESERVATIONS}/${id}/refund`), '404 reservation_not_found');
  });

  it('tell with a refusal what is used, what is missing, the limit, and when it begins anew', async () => {
    const { key } = owner;
    const full = await send(key, RESERVATIONS, { resource: 'storage_bytes', amount: 1_001 });
    expect(full.status).toBe(507);
    expect(full.headers).not.toHaveProperty('retry-after');
    expect(readProblem(full)).toMatchObject({
      code: 'storage_full',
      details: { resource: 'storage_bytes', used: 0, held: 0, needed: 1_001, limit: 1_000 },
    });
    const rate = await send(key, RESERVATIONS, { resource: 'operations_per_minute', amount: 1_000_001 });
    expect(rate.status).toBe(429);
    expect(Number(rate.headers['retry-after'])).toBeLessThanOrEqual(60);
    expect(readProblem(rate)).toMatchObject({
      code: 'quota_exceeded',
      details: { resource: 'operations_per_minute', limit: 1_000_000, resets_in_ms: expect.any(Number) },
    });
    const transfer = await send(key, RESERVATIONS, { resource: 'data_transfer_bytes', amount: 1e15 });
    expect(readProblem(transfer)).toMatchObject({
      code: 'quota_exceeded',
      details: { resource: 'data_transfer_bytes' },
    });
    expect(Number(transfer.headers['retry-after'])).toBeGreaterThan(0);
  });

  it('hold nothing twice for one Idempotency-Key', async () => {
    const { key, tenant } = await newTenant(door.app);
    const headers = { 'idempotency-key': newUlid(Date.now()) };
    const body = { resource: 'memory_bytes', amount: 10 };
    const [first, again] = [await send(key, RESERVATIONS, body, headers), await send(key, RESERVATIONS, body, headers)];
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(json(again)).toEqual(json(first));
    expect(await openHolds(door.app, tenant.id)).toHaveLength(1);
  });

  const HOLD = `hold-${newUlid(0)}`;
  const bad: readonly (readonly [string, unknown, string])[] = [
    [RESERVATIONS, { resource: 'memory_bytes' }, 'body.amount'],
    [RESERVATIONS, { amount: 1 }, 'body.resource'],
    [RESERVATIONS, { resource: 'disk', amount: 1 }, 'body.resource'],
    [RESERVATIONS, { resource: 'memory_bytes', amount: 0 }, 'body.amount'],
    [RESERVATIONS, { resource: 'memory_bytes', amount: 1.5 }, 'body.amount'],
    [RESERVATIONS, { resource: 'memory_bytes', amount: '1' }, 'body.amount'],
    [RESERVATIONS, { resource: 'memory_bytes', amount: 1e15 + 1 }, 'body.amount'],
    [RESERVATIONS, { resource: 'memory_bytes', amount: 2 ** 53 }, 'body.amount'],
    [RESERVATIONS, { resource: 'memory_bytes', amount: 1, ttl_seconds: 0 }, 'body.ttl_seconds'],
    [RESERVATIONS, { resource: 'memory_bytes', amount: 1, ttl_seconds: 3_601 }, 'body.ttl_seconds'],
    [RESERVATIONS, { resource: 'memory_bytes', amount: 1, id: HOLD }, 'body'],
    [`${RESERVATIONS}/${HOLD}/commit`, {}, 'body.amount'],
    [`${RESERVATIONS}/${HOLD}/commit`, { amount: -1 }, 'body.amount'],
    [`${RESERVATIONS}/nothing/commit`, { amount: 1 }, 'path.id'],
    [`${RESERVATIONS}/${HOLD.toUpperCase()}/refund`, undefined, 'path.id'],
    ['/quotas/release', { resource: 'data_transfer_bytes', amount: 1 }, 'body.resource'],
    ['/quotas/release', { resource: 'memory_bytes', amount: 0 }, 'body.amount'],
  ];
  it.each(bad)('refuse %s with %j: %s', async (target, body, field) => {
    const before = await tenantState(door.app, owner.tenant.id);
    const reply = await send(owner.key, target, body);
    expect(reply.status).toBe(400);
    expect(readProblem(reply).errors?.map((error) => error.field.slice(0, field.length))).toContain(field);
    expect(await tenantState(door.app, owner.tenant.id)).toEqual(before);
  });

  it.each(['amount=1', 'resource=disk', 'resource=memory_bytes&amount=0', 'resource=memory_bytes&amount=1e3', 'x=1'])(
    'refuse to be asked with %s',
    async (query) => {
      expectProblem(await door.call({ target: `/quotas?${query}`, key: owner.key }), '400 invalid_request');
    },
  );
});
