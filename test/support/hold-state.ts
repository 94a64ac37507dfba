/** A tenant's open reservations, as they stand in Redis, and their time passing without waiting. */
import { expect } from 'vitest';
import type { App } from '../../lib/app.ts';
import type { TenantId } from '../../lib/ids.ts';
import { unpackHeld } from '../../lib/quotas/held-format.ts';
import { gateState } from './gate-state.ts';
import { keysOf } from './tenant-state.ts';

interface OpenHold {
  readonly member: string;
  readonly id: string;
  readonly resource: string;
  readonly amount: number;
}

export async function openHolds(app: App, tenantId: TenantId): Promise<readonly OpenHold[]> {
  const members = (await app.redis.send(['ZRANGE', keysOf(app).holds(tenantId), 0, -1], {
    kind: 'read',
  })) as readonly string[];
  return members.map((member) => {
    const [id = '', resource = '', amount] = member.split(',');
    return { member, id, resource, amount: Number(amount) };
  });
}

/** Makes reservations as old as if their time had passed; all of the tenant's, or the one of an id. */
export async function passTime(app: App, tenantId: TenantId, id?: string): Promise<void> {
  const { gate, holds } = { gate: keysOf(app).gate(tenantId), holds: keysOf(app).holds(tenantId) };
  for (const hold of await openHolds(app, tenantId)) {
    if (id !== undefined && hold.id !== id) continue;
    const field = `q:${hold.id}`;
    const text = (await app.redis.send(['HGET', gate, field], { kind: 'read' })) as string;
    const past = text.split(',').with(3, '1').join(',');
    await app.redis.send(['ZADD', holds, 1, hold.member], { kind: 'write' });
    await app.redis.send(['HSET', gate, field, past], { kind: 'write' });
  }
}

/** Fails unless the sums, the reservations and their fields say the same. @returns what is held. */
export async function auditHolds(app: App, tenantId: TenantId) {
  const [open, gate] = [await openHolds(app, tenantId), gateState(app, tenantId)];
  const held = unpackHeld((await gate.read('r')) ?? null);
  const sum = (code: string) =>
    open.filter(({ resource }) => resource === code).reduce((total, { amount }) => total + amount, 0);
  expect(held).toMatchObject({ memoryBytes: sum('m'), storageBytes: sum('s'), transferBytes: sum('t') });
  const fields = (await app.redis.send(['HKEYS', keysOf(app).gate(tenantId)], { kind: 'read' })) as readonly string[];
  expect(fields.filter((field) => field.startsWith('q:')).sort()).toEqual(open.map(({ id }) => `q:${id}`).sort());
  return held;
}
