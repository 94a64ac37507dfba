/** `Idempotency-Key` of a tenant's calls: begun through the gate, kept and charged in the tenant's slot. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { OutcomeUnknownError, PreconditionFailedError, StorageFullError } from '../../lib/errors.ts';
import { packOwnLimit, routeLimitField } from '../../lib/gate/gate-fields.ts';
import type { IdempotentCall } from '../../lib/http/call-ledger.ts';
import type { Result } from '../../lib/http/result.ts';
import { newUlid } from '../../lib/ids.ts';
import type { FailpointHook } from '../../lib/redis/failpoints.ts';
import { newTenant, type TestTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { auditRecords } from '../support/audit-tenant.ts';
import { gateState } from '../support/gate-state.ts';
import { keysOf, tenantState } from '../support/tenant-state.ts';

const DAY_MS = 86_400_000;
const newOp = () => newUlid(Date.now());
const entry = { namespace: 'ns', key: 'k' };
const value = { value: Buffer.from('v'), meta: { content_type: 'text/plain' }, ttlMs: null };

describe.each(TRANSPORTS)("a tenant's idempotent calls over %s [A14 T4]", (transport) => {
  let app: App;
  let tenant: TestTenant;
  let gate: ReturnType<typeof gateState>;
  let between: FailpointHook = () => {};
  beforeAll(async () => {
    app = await testApp({ transport, failpoint: (call) => between(call) });
  });
  beforeEach(async () => {
    between = () => {};
    tenant = await newTenant(app);
    gate = gateState(app, tenant.tenant.id);
  });

  const newCall = (changes: Partial<IdempotentCall> = {}): IdempotentCall => ({
    caller: tenant.key,
    tenant: { caller: { ...tenant.caller, route: 'doThings' }, scope: 'cache:write' },
    idempotencyKey: newOp(),
    route: 'POST /things',
    body: '{"n":1}',
    operationId: newOp(),
    leaseMs: 30_000,
    ...changes,
  });
  const repeated = (call: IdempotentCall): IdempotentCall => ({ ...call, operationId: newOp() });

  /** Work that counts how often it ran. */
  const counted = (outcome: (operationId: string) => Promise<Partial<Result>> = async () => ({ data: { n: 1 } })) => {
    const ran: string[] = [];
    const work = async (operationId: string): Promise<Result> => {
      ran.push(operationId);
      return { status: 201, ...(await outcome(operationId)) };
    };
    return { ran, work };
  };
  const audit = () => auditRecords(app, tenant.tenant.id);
  const statusOf = (result: Result) => result.headers?.['idempotency-status'];
  /** The call's record, as it stands in Redis. */
  const stored = async () => {
    const members = (await tenantState(app, tenant.tenant.id)).index as readonly string[];
    const [, , namespace = '', key = ''] = members.find((member) => member.startsWith('k\0i'))?.split('\0') ?? [];
    const name = keysOf(app).tenantCall(tenant.tenant.id, { namespace, key });
    return { key: name, text: (await app.redis.send(['GET', name], { kind: 'read' })) as string };
  };

  it('answers a repeated call as the first one, and works once', async () => {
    const { ran, work } = counted(async () => ({ headers: { location: '/things/1' }, data: { a: ['ž', 1] } }));
    const call = newCall();
    const first = await app.idempotency.run(call, work);
    expect(first).toMatchObject({ status: 201, headers: { 'idempotency-status': 'stored', location: '/things/1' } });
    const again = await app.idempotency.run(repeated(call), work);
    expect(again).toEqual({ ...first, headers: { ...first.headers, 'idempotency-status': 'replayed' } });
    expect(ran).toEqual([call.operationId]);
    expect(await audit()).toEqual({ c: 0, l: 0, i: 1, s: 0 });
  });

  it('gives bytes back as bytes', async () => {
    const bytes = Buffer.from([0, 255, 128, 10]);
    const { work } = counted(async () => ({ bytes, headers: { 'content-type': 'application/octet-stream' } }));
    const call = newCall();
    expect((await app.idempotency.run(call, work)).bytes).toEqual(bytes);
    const again = await app.idempotency.run(repeated(call), work);
    expect(again.bytes).toBeInstanceOf(Buffer);
    expect(again.bytes).toEqual(bytes);
  });

  it('works once when 20 equal calls race', async () => {
    const held = Promise.withResolvers<void>();
    const { ran, work } = counted(async () => ({ data: await held.promise }));
    const call = newCall();
    const racing = Array.from({ length: 20 }, () => app.idempotency.run(repeated(call), work));
    const settled = racing.map((one) => one.then(statusOf, (error) => error.code));
    await expect.poll(() => ran.length).toBe(1);
    await expect(app.idempotency.run(repeated(call), work)).rejects.toMatchObject({
      status: 409,
      code: 'idempotency_in_progress',
    });
    held.resolve();
    const outcomes = await Promise.all(settled);
    expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(1);
    // One that asked late is given the answer.
    for (const outcome of outcomes) expect(outcome).toBeOneOf(['stored', 'replayed', 'idempotency_in_progress']);
    expect(ran).toHaveLength(1);
    expect(await audit()).toMatchObject({ i: 1 });
  });

  it('refuses the key for another request', async () => {
    const call = newCall();
    await app.idempotency.run(call, counted().work);
    const other = app.idempotency.run({ ...repeated(call), body: '{"n":2}' }, counted().work);
    await expect(other).rejects.toMatchObject({ status: 422, code: 'idempotency_key_reused' });
  });

  it('leaves no record of a caller who may not call', async () => {
    const before = await tenantState(app, tenant.tenant.id);
    const { caller } = tenant;
    const { ran, work } = counted();
    const unknown = { caller: { ...caller, keyHash: '0'.repeat(64) }, scope: 'cache:write' };
    await expect(app.idempotency.run(newCall({ tenant: unknown }), work)).rejects.toMatchObject({
      code: 'key_unknown',
    });
    const unscoped = { caller, scope: 'admin' };
    await expect(app.idempotency.run(newCall({ tenant: unscoped }), work)).rejects.toMatchObject({
      code: 'scope_missing',
    });
    expect(ran).toEqual([]);
    expect(await tenantState(app, tenant.tenant.id)).toEqual(before);
  });

  describe('counts', () => {
    it('a call as one operation, as without a key; and a replay, a conflict and a refused key as one', async () => {
      const setEntry = async () => {
        await app.cache.set(tenant.caller, entry, value);
        return {};
      };
      const call = newCall();
      await app.idempotency.run(call, counted(setEntry).work);
      expect(await gate.meter()).toMatchObject({ ops: 1n, entries: 1n });
      await app.idempotency.run(repeated(call), counted(setEntry).work);
      expect(await gate.meter()).toMatchObject({ ops: 2n });
      await app.idempotency.run({ ...repeated(call), body: '' }, counted().work).catch(() => {});
      expect(await gate.meter()).toMatchObject({ ops: 3n });
      const open = newCall();
      const lost = counted(() => Promise.reject(new OutcomeUnknownError('lost')));
      await app.idempotency.run(open, lost.work).catch(() => {});
      await expect(app.idempotency.run(repeated(open), lost.work)).rejects.toMatchObject({ status: 409 });
      expect(await gate.meter()).toMatchObject({ ops: 4n });
    });

    it('so that a burst of one, of the tenant or of the route, lets a call be finished', async () => {
      const call = newCall();
      const route = call.tenant?.caller;
      await gate.write(routeLimitField('doThings'), packOwnLimit({ operations_per_minute: 1, burst: 1 }));
      await gate.setRate(1, 1);
      const { work } = counted(async () => ({ data: await app.account.identify(route ?? tenant.caller) }));
      expect(await app.idempotency.run(call, work)).toMatchObject({ status: 201 });
      expect(await gate.meter()).toMatchObject({ ops: 1n, minuteOps: 1n });
      await expect(app.idempotency.run(newCall(), work)).rejects.toMatchObject({ status: 429 });
      expect(await audit()).toMatchObject({ i: 1 });
    });

    it('its record and its reply to the memory of the tenant', async () => {
      await app.idempotency.run(newCall(), counted(async () => ({ data: 'x'.repeat(5_000) })).work);
      expect((await gate.meter()).memory).toBeGreaterThan(5_000n);
      expect(await audit()).toEqual({ c: 0, l: 0, i: 1, s: 0 });
    });
  });

  describe('when memory is full', () => {
    const fill = async (freeBytes: number) => {
      const { memory } = await gate.meter();
      await gate.setLimits({ quotas: { ...tenant.tenant.quotas, memory_bytes: Number(memory) + freeBytes } });
    };

    it('does not begin, and changes nothing', async () => {
      await fill(10);
      const before = await tenantState(app, tenant.tenant.id);
      const { ran, work } = counted();
      const { memory } = await gate.meter();
      const [used, limit] = [Number(memory), Number(memory) + 10];
      await expect(app.idempotency.run(newCall(), work)).rejects.toMatchObject({
        status: 507,
        code: 'memory_full',
        details: { resource: 'memory_bytes', used, held: 0, needed: expect.any(Number), limit },
      });
      expect(ran).toEqual([]);
      expect(await tenantState(app, tenant.tenant.id)).toEqual(before);
    });

    it('gives an answer it has no room for, says so, and repeats the call as the same operation', async () => {
      await fill(1_000);
      const { ran, work } = counted(async () => ({ data: 'x'.repeat(2_000) }));
      const call = newCall();
      const first = await app.idempotency.run(call, work);
      expect([first.status, statusOf(first)]).toEqual([201, 'not_stored']);
      expect(await audit()).toMatchObject({ i: 1 });
      await fill(100_000);
      expect(statusOf(await app.idempotency.run(repeated(call), work))).toBe('stored');
      expect(statusOf(await app.idempotency.run(repeated(call), work))).toBe('replayed');
      expect(ran).toEqual([call.operationId, call.operationId]);
    });

    it('forgets a call whose work found it full', async () => {
      const full = counted(() => Promise.reject(new StorageFullError('memory_full', 'full')));
      const call = newCall();
      await expect(app.idempotency.run(call, full.work)).rejects.toMatchObject({ code: 'memory_full' });
      expect(await audit()).toMatchObject({ i: 0 });
    });
  });

  it('forgets a call that changed nothing, with its bytes', async () => {
    const refused = counted(() => Promise.reject(new PreconditionFailedError('no')));
    const call = newCall();
    await expect(app.idempotency.run(call, refused.work)).rejects.toMatchObject({ status: 412 });
    expect(await audit()).toEqual({ c: 0, l: 0, i: 0, s: 0 });
    expect(statusOf(await app.idempotency.run(repeated(call), counted().work))).toBe('stored');
  });

  it('repeats one with an unknown outcome as the same operation, once its lease has ended', async () => {
    const lost = counted(() => Promise.reject(new OutcomeUnknownError('lost')));
    const call = newCall({ leaseMs: 150 });
    await expect(app.idempotency.run(call, lost.work)).rejects.toMatchObject({ code: 'outcome_unknown' });
    const { ran, work } = counted();
    const again = () => app.idempotency.run(repeated(call), work).then(statusOf, ({ code }) => code);
    expect(await again()).toBe('idempotency_in_progress');
    await expect.poll(again).toBe('stored');
    expect(ran).toEqual([call.operationId]);
    expect(await audit()).toMatchObject({ i: 1 });
  });

  it('does not let a run that comes late end one that took over', async () => {
    const slow = Promise.withResolvers<string>();
    const first = counted(async () => ({ data: await slow.promise }));
    const call = newCall({ leaseMs: 1 });
    const late = app.idempotency.run(call, first.work);
    await expect.poll(() => first.ran.length).toBe(1);
    const second = counted(async () => ({ data: 'of the second' }));
    const takeOver = () =>
      app.idempotency.run(repeated(call), second.work).then(
        ({ data }) => data,
        () => null,
      );
    await expect.poll(takeOver).toBe('of the second');
    slow.resolve('of the first');
    await late;
    expect(await app.idempotency.run(repeated(call), first.work)).toMatchObject({ data: 'of the second' });
    expect(await audit()).toMatchObject({ i: 1 });
  });

  it('keeps the answer to a call during which another generation took the place of the data, and replays it', async () => {
    const flipped = counted(async () => {
      await gate.setLimits({ contextVersion: 2, generation: 2 });
      return { data: { n: 7 } };
    });
    const call = newCall();
    expect(statusOf(await app.idempotency.run(call, flipped.work))).toBe('stored');
    expect((await stored()).text).toMatch(/^i1,d,/);
    const again = await app.idempotency.run(repeated(call), flipped.work);
    expect(again).toMatchObject({ data: { n: 7 }, headers: { 'idempotency-status': 'replayed' } });
    expect(flipped.ran).toHaveLength(1);
    expect(await audit()).toEqual({ c: 0, l: 0, i: 1, s: 0 });
  });

  it('keeps an answer for 24 hours; then clean-up removes it with its bytes, and the call begins anew', async () => {
    const call = newCall();
    await app.idempotency.run(call, counted().work);
    const { key, text } = await stored();
    const nowMs = Number((await gate.timeUs()) / 1_000n);
    const [, , , , expires = ''] = text.split(',');
    expect(Number(expires)).toBeGreaterThan(nowMs + DAY_MS - 10_000);
    expect(Number(expires)).toBeLessThanOrEqual(nowMs + DAY_MS);
    await expireNow(key, text, expires);
    const { ran, work } = counted();
    expect(statusOf(await app.idempotency.run(repeated(call), work))).toBe('stored');
    expect(ran).toHaveLength(1);
    expect(await audit()).toMatchObject({ i: 1 });
    const again = await stored();
    await expireNow(again.key, again.text, again.text.split(',')[4] ?? '');
    await app.cleanUp.run();
    expect(await audit()).toEqual({ c: 0, l: 0, i: 0, s: 0 });
  });

  /** Moves a record's expiry, and its member, to a moment that has passed. */
  const expireNow = async (key: string, text: string, expires: string) => {
    const past = String(Date.now() - 1_000);
    const index = keysOf(app).keptIndex(tenant.tenant.id);
    const members = (await tenantState(app, tenant.tenant.id)).index as readonly string[];
    const member = members.find((one) => one.startsWith(`e\0${expires.padStart(14, '0')}`)) ?? '';
    await app.redis.send(['ZREM', index, member], { kind: 'write' });
    await app.redis.send(['ZADD', index, 0, `e\0${past.padStart(14, '0')}${member.slice(16)}`], { kind: 'write' });
    await app.redis.send(['SET', key, text.replace(expires, past)], { kind: 'write' });
  };

  it('asks again when the reply to its beginning is lost, and is not taken for another', async () => {
    let lost = 0;
    between = ({ name, phase }) => {
      if (name !== 'begin-tenant-call' || phase !== 'after' || lost > 0) return;
      lost++;
      throw new OutcomeUnknownError('lost');
    };
    await app.account.identify(tenant.caller);
    const { ran, work } = counted();
    const call = newCall();
    expect(await app.idempotency.run(call, work)).toMatchObject({ status: 201 });
    expect({ lost, ran }).toEqual({ lost: 1, ran: [call.operationId] });
    expect(await audit()).toMatchObject({ i: 1 });
  });

  it('keeps nothing that can be read without the caller', async () => {
    const { work } = counted(async () => ({ data: { secret: 'a secret of the reply' } }));
    await app.idempotency.run(newCall(), work);
    const { text } = await stored();
    const sealed = Buffer.from(text.slice(text.indexOf('\n') + 4), 'base64url').toString('latin1');
    for (const hidden of ['a secret of the reply', '/things', tenant.key.slice(-43), '"n":1'])
      expect(text + sealed).not.toContain(hidden);
  });
});
