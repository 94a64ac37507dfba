/** What a limit keeps is a counted record: charged, listed, removed with its bytes when nothing is used any more. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import type { LimitCheck } from '../../lib/rate-limiter/limit-rules.ts';
import { newTenant, type TestTenant, testApp } from '../support/app.ts';
import { auditRecords } from '../support/audit-tenant.ts';
import { gateState } from '../support/gate-state.ts';
import { expiryMember } from '../support/index-member.ts';
import { limitState } from '../support/limit-state.ts';
import { keysOf, tenantState } from '../support/tenant-state.ts';

const HOUR_MS = 3_600_000;
const how: LimitCheck = { name: 'logins', identifier: 'user-1', limit: 5, windowMs: HOUR_MS };

describe('the record of a limit [T4 T5]', () => {
  let app: App;
  let tenant: TestTenant;
  let gate: ReturnType<typeof gateState>;
  let state: ReturnType<typeof limitState>;
  beforeEach(async () => {
    app = await testApp();
    tenant = await newTenant(app);
    gate = gateState(app, tenant.tenant.id);
    state = limitState(app, tenant.tenant.id, how.name, how.identifier);
  });

  const check = (changes: Partial<LimitCheck> = {}) => app.rateLimiter.check(tenant.caller, { ...how, ...changes });
  const audit = () => auditRecords(app, tenant.tenant.id);
  const index = async () => (await tenantState(app, tenant.tenant.id)).index;
  const none = { c: 0, l: 0, i: 0, s: 0 };

  it('is charged once for an identifier, whatever is checked, and is no cache entry', async () => {
    await check();
    const { memory } = await gate.meter();
    expect(memory).toBeGreaterThan(400n);
    const before = await index();
    for (const change of [{ cost: 4 }, { cost: 1 }, { limit: 1_000_000, windowMs: 2_592_000_000 }, { cost: 0 }])
      await check({ ...change, algorithm: 'token_bucket' });
    expect(await gate.meter()).toMatchObject({ memory, entries: 0n, seq: 0n, bytesIn: 0n, transfer: 0n, ops: 5n });
    expect(await index()).toEqual(before);
    expect(await audit()).toEqual({ ...none, l: 1 });
  });

  it('is not made by a look', async () => {
    expect(await check({ cost: 0 })).toMatchObject({ allowed: true, remaining: 5 });
    expect(await audit()).toEqual(none);
  });

  it('equals what is counted after 60 racing checks of 20 identifiers', async () => {
    await Promise.all(Array.from({ length: 60 }, (_, i) => check({ identifier: `user-${i % 20}` })));
    expect(await audit()).toEqual({ ...none, l: 20 });
  });

  it('is refused when memory is full, for a new identifier only, and nothing is changed or metered', async () => {
    await check();
    const { memory } = await gate.meter();
    await gate.setLimits({ quotas: { ...tenant.tenant.quotas, memory_bytes: Number(memory) } });
    const before = await gate.read('m');
    await expect(check({ identifier: 'user-2' })).rejects.toMatchObject({
      status: 507,
      code: 'memory_full',
      details: {
        resource: 'memory_bytes',
        used: Number(memory),
        held: 0,
        needed: Number(memory),
        limit: Number(memory),
      },
    });
    expect(await gate.read('m')).toBe(before);
    expect(await check()).toMatchObject({ allowed: true, remaining: 3 });
    expect(await audit()).toEqual({ ...none, l: 1 });
  });

  it('is removed by clean-up once nothing is used any more', async () => {
    await check({ windowMs: 1 });
    await check({ identifier: 'user-2' });
    await state.listUnder(Date.now() - 1_000);
    await app.cleanUp.run();
    expect(await audit()).toEqual({ ...none, l: 1 });
    expect(await state.read()).toBeNull();
  });

  it('lives on when it is due and still counts: clean-up moves its member, and the next one finds it there', async () => {
    await check({ cost: 3 });
    await state.listUnder(Date.now() - 1_000);
    await app.cleanUp.run();
    const { sinceMs = 0, indexedMs } = (await state.read()) ?? {};
    expect(indexedMs).toBe(sinceMs + HOUR_MS);
    expect(await audit()).toEqual({ ...none, l: 1 });
    expect(await check({ cost: 2 })).toMatchObject({ allowed: true, remaining: 0 });
    await state.pass(HOUR_MS);
    await state.listUnder(Date.now() - 500);
    await app.cleanUp.run();
    expect(await audit()).toEqual(none);
    expect(await gate.meter()).toMatchObject({ memory: 0n });
  });

  it('begins anew in its place when it is met expired, and stays under the member it has', async () => {
    await check({ cost: 5 });
    await state.pass(HOUR_MS);
    const before = await index();
    expect(await check({ cost: 5 })).toMatchObject({ allowed: true, remaining: 0 });
    expect(await index()).toEqual(before);
    expect(await audit()).toEqual({ ...none, l: 1 });
  });

  it('is replaced when it cannot be read, or removed when nobody asks for it', async () => {
    const damage = (text: string) => app.redis.send(['SET', state.key, text], { kind: 'write' });
    await check({ cost: 5 });
    const length = ((await app.redis.send(['GET', state.key], { kind: 'read' })) as string).length;
    await damage('x'.repeat(length));
    expect(await check()).toMatchObject({ allowed: true, remaining: 4 });
    const { indexedMs = 0 } = (await state.read()) ?? {};
    await damage('x'.repeat(length));
    const name = { namespace: how.name, key: how.identifier };
    const keys = keysOf(app);
    // The members of both, and one that is due: of what cannot be read, none is known.
    const listed = (await index()) as readonly string[];
    const expiries = listed.filter((member) => member.startsWith('e'));
    await app.redis.send(['ZREM', keys.keptIndex(tenant.tenant.id), ...expiries], { kind: 'write' });
    const due = expiryMember(name, Math.min(indexedMs, Date.now() - 1_000), 'l');
    await app.redis.send(['ZADD', keys.keptIndex(tenant.tenant.id), 0, due], { kind: 'write' });
    await app.cleanUp.run();
    expect(await audit()).toEqual(none);
  });

  it("stays when another generation takes the place of the tenant's data: what was spent stays spent", async () => {
    await check({ cost: 4 });
    await gate.setLimits({ contextVersion: 2, generation: 2 });
    expect(await check()).toMatchObject({ allowed: true, remaining: 0 });
    expect(await check()).toMatchObject({ allowed: false });
    expect(await audit()).toEqual({ ...none, l: 1 });
    await state.pass(HOUR_MS);
    await state.listUnder(Date.now() - 1_000);
    await app.cleanUp.run();
    expect(await audit()).toEqual(none);
  });
});
