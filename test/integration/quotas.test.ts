/** Quotas: reserved exactly, settled once, and given back. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { newUlid } from '../../lib/ids.ts';
import { RESOURCES, type Resource } from '../../lib/quotas/quota-state.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { gateState } from '../support/gate-state.ts';
import { auditHolds, openHolds, passTime } from '../support/hold-state.ts';
import { keysOf, tenantState } from '../support/tenant-state.ts';
import { withinMinute } from '../support/within-minute.ts';

const BYTE_QUOTAS = ['memory_bytes', 'storage_bytes', 'data_transfer_bytes'] as const;
const FULL = {
  memory_bytes: { status: 507, code: 'memory_full' },
  storage_bytes: { status: 507, code: 'storage_full' },
  data_transfer_bytes: { status: 429, code: 'quota_exceeded' },
  operations_per_minute: { status: 429, code: 'quota_exceeded' },
} as const;

const value = { value: Buffer.alloc(100), meta: { content_type: 'text/plain' }, ttlMs: null };
const entry = { namespace: 'ns', key: 'k' };

/** A tenant that may do everything but `limits`. */
async function tenantWith(app: App, limits: Partial<Record<Resource, number>>) {
  const made = await newTenant(app, { quotas: { operations_per_minute: 1_000_000, ...limits } });
  const state = gateState(app, made.tenant.id);
  await state.setRate(limits.operations_per_minute ?? 1_000_000, 1_000_000);
  return { ...made, id: made.tenant.id, state };
}

describe.each(TRANSPORTS)('quotas over %s [T4]', (transport) => {
  let app: App;
  beforeAll(async () => {
    app = await testApp({ transport });
  });

  it.each(RESOURCES)('grants exactly the limit of %s when 100 callers race for 40', (resource) =>
    withinMinute(app, async () => {
      const { caller, id, state } = await tenantWith(app, { [resource]: 40 });
      const outcomes = await Promise.allSettled(
        Array.from({ length: 100 }, () => app.quotas.reserve(caller, { resource, amount: 1 })),
      );
      const refused = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
      expect(outcomes.length - refused.length).toBe(40);
      for (const reason of refused) {
        const isFull = FULL[resource].status === 507;
        const facts = isFull ? { used: 0, held: 40, needed: 1 } : { used: 40, resets_in_ms: reason.retryAfterMs };
        expect(reason).toMatchObject(FULL[resource]);
        expect(reason.details).toEqual({ resource, limit: 40, ...facts });
      }
      expect(await openHolds(app, id)).toHaveLength(40);
      await auditHolds(app, id);
      const after = await state.meter();
      expect(after).toMatchObject({ ops: 40n, minuteOps: 40n, transfer: 0n, memory: 0n, storage: 0n });
    }),
  );

  it.each(BYTE_QUOTAS)('changes nothing when it refuses %s, and fits the last byte', async (resource) => {
    const { caller, id } = await tenantWith(app, { [resource]: 1_000 });
    await app.quotas.reserve(caller, { resource, amount: 999 });
    const before = await tenantState(app, id);
    const refusal = app.quotas.reserve(caller, { resource, amount: 2 });
    const used = resource === 'data_transfer_bytes' ? { used: 999 } : { used: 0, held: 999, needed: 2 };
    await expect(refusal).rejects.toMatchObject({ details: { ...used, limit: 1_000 } });
    expect(await tenantState(app, id)).toEqual(before);
    expect(await app.quotas.reserve(caller, { resource, amount: 1 })).toMatchObject({ used: 0, held: 1_000, left: 0 });
  });

  it('holds for other work what is reserved: a write that would take it is refused', async () => {
    const { caller, state } = await tenantWith(app, { memory_bytes: 1_000, data_transfer_bytes: 10_000 });
    const { id } = await app.quotas.reserve(caller, { resource: 'memory_bytes', amount: 900 });
    const refusal = await app.cache.set(caller, entry, value).catch((error) => error);
    await app.quotas.refund(caller, id);
    await app.cache.set(caller, entry, value);
    const needed = Number((await state.meter()).memory);
    expect(refusal).toMatchObject({
      code: 'memory_full',
      details: { resource: 'memory_bytes', used: 0, held: 900, needed, limit: 1_000 },
    });
    const transfer = await app.quotas.reserve(caller, { resource: 'data_transfer_bytes', amount: 9_900 });
    await expect(app.cache.get(caller, entry)).rejects.toMatchObject({
      code: 'quota_exceeded',
      details: { resource: 'data_transfer_bytes', used: 10_000, limit: 10_000 },
    });
    await app.quotas.commit(caller, transfer.id, 0);
    expect(await app.cache.get(caller, entry)).not.toBeNull();
  });

  it.each(['memory_bytes', 'storage_bytes'] as const)(
    'counts what is committed of %s until it is released',
    async (resource) => {
      const { caller, id: tenantId, state } = await tenantWith(app, { [resource]: 1_000 });
      const { id } = await app.quotas.reserve(caller, { resource, amount: 800 });
      const settled = await app.quotas.commit(caller, id, 300);
      expect(settled).toEqual({
        id,
        resource,
        reserved: 800,
        committed: 300,
        used: 300,
        held: 0,
        limit: 1_000,
        left: 700,
        resets_at: null,
        resets_in_ms: null,
      });
      const held = await auditHolds(app, tenantId);
      const isMemory = resource === 'memory_bytes';
      expect([held.committedMemoryBytes, held.committedStorageBytes]).toEqual(isMemory ? [300, 0] : [0, 300]);
      const tooMuch = app.quotas.release(caller, { resource, amount: 301 });
      await expect(tooMuch).rejects.toMatchObject({
        status: 409,
        code: 'release_too_large',
        details: { committed: 300 },
      });
      expect(await app.quotas.release(caller, { resource, amount: 200 })).toMatchObject({ released: 200, used: 100 });
      expect(await state.meter()).toMatchObject(
        isMemory ? { memory: 100n, storage: 0n } : { memory: 0n, storage: 100n },
      );
    },
  );

  it('counts committed transfer to the period and to the bytes out', async () => {
    const { caller, state } = await tenantWith(app, { data_transfer_bytes: 1_000 });
    const { id } = await app.quotas.reserve(caller, { resource: 'data_transfer_bytes', amount: 600 });
    expect(await app.quotas.commit(caller, id, 250)).toMatchObject({ used: 250, held: 0, left: 750 });
    expect(await state.meter()).toMatchObject({ transfer: 250n, bytesOut: 250n, ops: 2n });
  });

  it('begins a month with no transfer; what was reserved before is still held', async () => {
    const { caller, state } = await tenantWith(app, { data_transfer_bytes: 1_000 });
    const first = await app.quotas.reserve(caller, { resource: 'data_transfer_bytes', amount: 600 });
    await app.quotas.commit(caller, first.id, 600);
    const second = await app.quotas.reserve(caller, { resource: 'data_transfer_bytes', amount: 400 });
    const full = app.quotas.reserve(caller, { resource: 'data_transfer_bytes', amount: 1 });
    await expect(full).rejects.toMatchObject({ code: 'quota_exceeded' });
    const { minute, periodEnd } = await state.meter();
    await state.setMeter({ minute: minute - 50_000n, periodEnd: 1_000n });
    expect(await app.quotas.check(caller.tenantId, { resource: 'data_transfer_bytes', amount: 601 })).toMatchObject({
      allowed: false,
      used: 0,
      held: 400,
      left: 600,
      resets_at: new Date(Number(periodEnd)).toISOString(),
    });
    const again = await app.quotas.reserve(caller, { resource: 'data_transfer_bytes', amount: 600 });
    expect(again).toMatchObject({ used: 0, held: 1_000 });
    expect(await app.quotas.commit(caller, second.id, 400)).toMatchObject({ used: 400, held: 600 });
  });

  it('counts reserved operations at once, this call among them, and gives back within the minute', () =>
    withinMinute(app, async () => {
      const { caller, state } = await tenantWith(app, { operations_per_minute: 100 });
      const resource = 'operations_per_minute';
      const { id, ...first } = await app.quotas.reserve(caller, { resource, amount: 50 });
      expect(first).toMatchObject({ used: 50, held: 0, left: 50 });
      await expect(app.quotas.reserve(caller, { resource, amount: 51 })).rejects.toMatchObject({
        code: 'quota_exceeded',
        details: { resource, used: 50, limit: 100, resets_in_ms: expect.any(Number) },
      });
      expect(await app.quotas.commit(caller, id, 20)).toMatchObject({
        resource,
        reserved: 50,
        committed: 20,
        used: 21,
      });
      const one = await app.quotas.reserve(caller, { resource, amount: 1 });
      expect(await app.quotas.refund(caller, one.id)).toMatchObject({ used: 22 });
      expect(await state.meter()).toMatchObject({ minuteOps: 22n, ops: 22n });
    }));

  it('gives no operations back to another minute', () =>
    withinMinute(app, async () => {
      const { caller, state } = await tenantWith(app, { operations_per_minute: 100 });
      const { id } = await app.quotas.reserve(caller, { resource: 'operations_per_minute', amount: 50 });
      const text = await state.read(`q:${id}`);
      await state.write(
        `q:${id}`,
        text.replace(/\d+$/, (minute) => String(Number(minute) - 1)),
      );
      expect(await app.quotas.refund(caller, id)).toMatchObject({ reserved: 50, used: 51 });
      expect(await state.meter()).toMatchObject({ ops: 51n });
    }));

  it('refuses to commit more than was reserved, and keeps the reservation', async () => {
    const { caller } = await tenantWith(app, {});
    const { id } = await app.quotas.reserve(caller, { resource: 'storage_bytes', amount: 10 });
    await expect(app.quotas.commit(caller, id, 11)).rejects.toMatchObject({
      status: 409,
      code: 'reservation_too_small',
      details: { reserved: 10, amount: 11 },
    });
    expect(await app.quotas.commit(caller, id, 10)).toMatchObject({ committed: 10 });
  });

  it('knows no reservation that was settled, has run out, never was, or is of another tenant', async () => {
    const { caller, id: tenantId } = await tenantWith(app, {});
    const other = await tenantWith(app, {});
    const unknown = { status: 404, code: 'reservation_not_found' };
    const [one, two, three] = await Promise.all(
      [1, 2, 3].map((amount) => app.quotas.reserve(caller, { resource: 'storage_bytes', amount })),
    );
    await app.quotas.refund(caller, one?.id ?? '');
    await passTime(app, tenantId, two?.id);
    for (const id of [one?.id, two?.id, `hold-${newUlid(Date.now())}`, 'hold-nonsense', '']) {
      await expect(app.quotas.commit(caller, id ?? '', 1)).rejects.toMatchObject(unknown);
      await expect(app.quotas.refund(caller, id ?? '')).rejects.toMatchObject(unknown);
    }
    await expect(app.quotas.refund(other.caller, three?.id ?? '')).rejects.toMatchObject(unknown);
    expect(await app.quotas.refund(caller, three?.id ?? '')).toMatchObject({ reserved: 3 });
  });

  it.each(RESOURCES)('holds and settles %s once, however often it is asked', (resource) =>
    withinMinute(app, async () => {
      const { caller, id: tenantId, state } = await tenantWith(app, {});
      const [reserving, committing] = [newUlid(Date.now()), newUlid(Date.now())];
      const first = await app.quotas.reserve(caller, { resource, amount: 5 }, { ulid: reserving });
      const before = await tenantState(app, tenantId);
      expect(await app.quotas.reserve(caller, { resource, amount: 5 }, { ulid: reserving })).toMatchObject({
        id: first.id,
        expires_at: first.expires_at,
        used: first.used,
        held: first.held,
      });
      expect(await tenantState(app, tenantId)).toEqual(before);
      const settled = await app.quotas.commit(caller, first.id, 2, { ulid: committing });
      const after = await tenantState(app, tenantId);
      const again = await app.quotas.commit(caller, first.id, 2, { ulid: committing });
      expect({ ...again, resets_in_ms: null }).toEqual({ ...settled, resets_in_ms: null });
      expect(await tenantState(app, tenantId)).toEqual(after);
      expect((await state.meter()).ops).toBe(resource === 'operations_per_minute' ? 3n : 2n);
    }),
  );

  it('releases once, however often it is asked', async () => {
    const { caller, id: tenantId } = await tenantWith(app, {});
    const { id } = await app.quotas.reserve(caller, { resource: 'memory_bytes', amount: 9 });
    await app.quotas.commit(caller, id, 9);
    const options = { ulid: newUlid(Date.now()) };
    const first = await app.quotas.release(caller, { resource: 'memory_bytes', amount: 4 }, options);
    const after = await tenantState(app, tenantId);
    expect(await app.quotas.release(caller, { resource: 'memory_bytes', amount: 4 }, options)).toEqual(first);
    expect(await tenantState(app, tenantId)).toEqual(after);
  });

  it.each(BYTE_QUOTAS)('frees what was abandoned before it refuses %s', async (resource) => {
    const { caller, id: tenantId } = await tenantWith(app, { [resource]: 100 });
    await app.quotas.reserve(caller, { resource, amount: 60 });
    await app.quotas.reserve(caller, { resource: 'operations_per_minute', amount: 3 });
    await passTime(app, tenantId);
    const kept = await app.quotas.reserve(caller, { resource, amount: 40 });
    expect(kept).toMatchObject({ held: 100 });
    expect(await app.quotas.reserve(caller, { resource, amount: 60 })).toMatchObject({ held: 100, left: 0 });
    await expect(app.quotas.reserve(caller, { resource, amount: 1 })).rejects.toMatchObject(FULL[resource]);
    expect(await openHolds(app, tenantId)).toHaveLength(2);
    await auditHolds(app, tenantId);
  });

  it('lets a write that meets both full memory and full transfer free both', async () => {
    const { caller, id: tenantId } = await tenantWith(app, { memory_bytes: 600, data_transfer_bytes: 200 });
    const reserveOne = () => app.quotas.reserve(caller, { resource: 'memory_bytes', amount: 1 });
    await Promise.all(Array.from({ length: 501 }, reserveOne));
    await app.quotas.reserve(caller, { resource: 'data_transfer_bytes', amount: 150 });
    await passTime(app, tenantId);
    // 502 are abandoned and 500 are freed at once: the second check must not begin with what the first one read.
    await app.cache
      .set(caller, entry, value)
      .catch((error) => expect(error.code).toMatch(/memory_full|quota_exceeded/));
    await auditHolds(app, tenantId);
    await app.cache.set(caller, entry, value);
    await auditHolds(app, tenantId);
  });

  it('frees abandoned reservations by schedule, also of a tenant whose gate is gone', async () => {
    const own = await testApp({ transport, env: { PERSISTENCE_CACHE_KEY_PREFIX: `q-${newUlid(Date.now())}` } });
    const [one, two, gone] = [await tenantWith(own, {}), await tenantWith(own, {}), await tenantWith(own, {})];
    for (const resource of RESOURCES) await own.quotas.reserve(one.caller, { resource, amount: 2 });
    await own.quotas.reserve(two.caller, { resource: 'memory_bytes', amount: 2 });
    await own.quotas.reserve(gone.caller, { resource: 'memory_bytes', amount: 2 });
    await passTime(own, one.id);
    await passTime(own, gone.id);
    await own.redis.send(['DEL', keysOf(own).gate(gone.id)], { kind: 'write' });
    expect(await own.abandonedHolds.run()).toEqual({ reservationsFreed: 4 });
    expect(await own.abandonedHolds.run()).toEqual({ reservationsFreed: 0 });
    expect(await openHolds(own, one.id)).toEqual([]);
    expect(await openHolds(own, two.id)).toHaveLength(1);
    expect(await own.redis.send(['EXISTS', keysOf(own).gate(gone.id)], { kind: 'read' })).toBe(0);
    expect(await auditHolds(own, one.id)).toMatchObject({ memoryBytes: 0, storageBytes: 0, transferBytes: 0 });
  });

  it('takes no amount that is not a whole number, and no time beyond an hour', async () => {
    const { caller } = await tenantWith(app, {});
    for (const amount of [0, -1, 1.5, Number.NaN, 1e15 + 1, Number.POSITIVE_INFINITY])
      await expect(app.quotas.reserve(caller, { resource: 'memory_bytes', amount })).rejects.toMatchObject({
        code: 'invalid_request',
      });
    for (const ttlMs of [0, 999, 3_600_001, 1_500.5])
      await expect(app.quotas.reserve(caller, { resource: 'memory_bytes', amount: 1, ttlMs })).rejects.toMatchObject({
        code: 'invalid_request',
      });
  });

  it('keeps 10,000 reservations open at most', async () => {
    const { caller, id: tenantId } = await tenantWith(app, {});
    const holds = keysOf(app).holds(tenantId);
    const far = Date.now() + 3_000_000;
    const members = Array.from({ length: 9_999 }, (_, i) => [far, `hold-${String(i).padStart(26, '0')},s,0`]).flat();
    await app.redis.send(['ZADD', holds, ...members], { kind: 'write' });
    const last = await app.quotas.reserve(caller, { resource: 'storage_bytes', amount: 1 });
    const before = await tenantState(app, tenantId);
    await expect(app.quotas.reserve(caller, { resource: 'storage_bytes', amount: 1 })).rejects.toMatchObject({
      status: 409,
      code: 'reservation_limit_reached',
    });
    expect(await tenantState(app, tenantId)).toEqual(before);
    await passTime(app, tenantId, last.id);
    expect(await app.quotas.reserve(caller, { resource: 'storage_bytes', amount: 1 })).toMatchObject({ held: 1 });
  });
});

describe('what is left [T4]', () => {
  let app: App;
  beforeAll(async () => {
    app = await testApp();
  });

  it('is told of all four without a charge by check, and with one operation by overview', () =>
    withinMinute(app, async () => {
      const { caller, id } = await tenantWith(app, { storage_bytes: 100, operations_per_minute: 50 });
      await app.quotas.reserve(caller, { resource: 'storage_bytes', amount: 40 });
      const before = await tenantState(app, id);
      const storage = { used: 0, held: 40, limit: 100, left: 60, resets_at: null, resets_in_ms: null };
      expect(await app.quotas.check(id, { resource: 'storage_bytes', amount: 60 })).toEqual({
        allowed: true,
        ...storage,
      });
      expect(await app.quotas.check(id, { resource: 'storage_bytes', amount: 61 })).toMatchObject({ allowed: false });
      const rate = await app.quotas.check(id, { resource: 'operations_per_minute' });
      expect(rate).toMatchObject({ allowed: true, used: 1, left: 49 });
      expect(rate.resets_in_ms).toBeLessThanOrEqual(60_000);
      expect(await tenantState(app, id)).toEqual(before);
      const overview = await app.quotas.overview(caller, { resource: 'operations_per_minute', amount: 49 });
      expect(overview.check).toEqual({ resource: 'operations_per_minute', amount: 49, allowed: false });
      expect(overview.quotas).toMatchObject({ storage_bytes: storage, operations_per_minute: { used: 2, left: 48 } });
    }));

  it('is told to who asks who it is, by the names of the quotas, without what is held', () =>
    withinMinute(app, async () => {
      const limits = {
        memory_bytes: 1_000,
        storage_bytes: 100,
        data_transfer_bytes: 10_000,
        operations_per_minute: 50,
      };
      const { caller, state } = await tenantWith(app, limits);
      await app.cache.set(caller, entry, value);
      await app.quotas.reserve(caller, { resource: 'memory_bytes', amount: 300 });
      await app.quotas.reserve(caller, { resource: 'storage_bytes', amount: 40 });
      const stored = Number((await state.meter()).memory);
      expect((await app.account.identify(caller)).left).toEqual({
        memory_bytes: 1_000 - stored - 300,
        storage_bytes: 60,
        data_transfer_bytes: 9_900,
        operations_per_minute: 46,
        burst: expect.any(Number),
      });
    }));

  it('forgets the operations of a minute that has ended, though nobody called since', async () => {
    const { caller, id, state } = await tenantWith(app, { operations_per_minute: 50 });
    await app.account.identify(caller);
    const { minute } = await state.meter();
    await state.setMeter({ minute: minute - 2n });
    expect(await app.quotas.check(id, { resource: 'operations_per_minute', amount: 50 })).toMatchObject({
      allowed: true,
      used: 0,
    });
  });

  it('is not told of a tenant that does not exist', async () => {
    const { id } = await tenantWith(app, {});
    const unknown = `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}` as typeof id;
    const check = app.quotas.check(unknown, { resource: 'memory_bytes' });
    await expect(check).rejects.toMatchObject({ status: 404, code: 'tenant_not_found' });
  });

  it('never is less than nothing when a limit was lowered', async () => {
    const { caller, id, state } = await tenantWith(app, { storage_bytes: 100 });
    await app.quotas.reserve(caller, { resource: 'storage_bytes', amount: 80 });
    const { quotas } = (await app.tenants.get(id)) as { quotas: Record<Resource, number> };
    await state.setLimits({ quotas: { ...quotas, storage_bytes: 50 } });
    const found = await app.quotas.check(id, { resource: 'storage_bytes' });
    expect(found).toMatchObject({ allowed: false, held: 80, limit: 50, left: 0 });
  });
});

describe('bytes that are committed [T4 T7]', () => {
  it('are summed up over time to the last unit', async () => {
    const app = await testApp();
    const most = 999_999_999_999_999;
    const { caller, state } = await tenantWith(app, { storage_bytes: 1e15, memory_bytes: 1e15 });
    const settled: { readonly at: bigint; readonly amount: bigint }[] = [];
    for (const amount of [most - 7, 3, 4]) {
      const { id } = await app.quotas.reserve(caller, { resource: 'storage_bytes', amount });
      await app.quotas.commit(caller, id, amount);
      settled.push({ at: (await state.meter()).stockAt, amount: BigInt(amount) });
    }
    const { id } = await app.quotas.reserve(caller, { resource: 'memory_bytes', amount: most });
    await app.quotas.commit(caller, id, most);
    const begun = (await state.meter()).stockAt;
    await state.setMeter({ stockAt: begun - 86_400_000n });
    await app.quotas.release(caller, { resource: 'memory_bytes', amount: most });
    const end = await state.meter();
    const storage = settled.reduce((sum, { at, amount }) => sum + amount * (begun - at), 0n);
    const since = end.stockAt - begun + 86_400_000n;
    const limb = 10n ** 15n;
    expect(end.storageHi * limb + end.storageLo).toBe(storage + BigInt(most) * since);
    expect(end.memoryHi * limb + end.memoryLo).toBe(BigInt(most) * since);
    expect(end).toMatchObject({ storage: BigInt(most), memory: 0n });
  });
});
