/** A write whose reply is lost is answered and counted once; what stays unknown is called so. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { OutcomeUnknownError } from '../../lib/errors.ts';
import type { FailpointHook } from '../../lib/redis/failpoints.ts';
import { newTenant, type TestTenant, TRANSPORTS, type Transport, testApp } from '../support/app.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { gateState } from '../support/gate-state.ts';
import { servers } from '../support/servers.ts';
import { tenantState } from '../support/tenant-state.ts';

const entry = { namespace: 'ns', key: 'k' };
const value = { value: Buffer.from('v'), meta: { content_type: 'text/plain' }, ttlMs: 60_000 };

const through = (transport: Transport, port: number): Record<string, string> =>
  transport === 'tcp'
    ? { REDIS_URL: `redis://127.0.0.1:${port}`, PERSISTENCE_REDIS_POOL_SIZE: '1' }
    : { UPSTASH_REDIS_REST_URL: `http://127.0.0.1:${port}` };

describe.each(TRANSPORTS)('a lost reply over %s [T4 T6]', (transport) => {
  let proxy: FaultProxy;
  /** Its replies may get lost on their way. */
  let app: App;
  /** Sees what is in Redis. */
  let direct: App;
  let tenant: TestTenant;
  let between: FailpointHook = () => {};

  beforeEach(async () => {
    const { redisUrl, restUrl } = servers();
    proxy = await startFaultProxy({ targetPort: Number(new URL(transport === 'tcp' ? redisUrl : restUrl).port) });
    const env = { ...through(transport, proxy.port), PERSISTENCE_REDIS_COMMAND_TIMEOUT_MS: '1000' };
    between = () => {};
    app = await testApp({ transport, env, failpoint: (call) => between(call) });
    direct = await testApp({ transport });
    tenant = await newTenant(direct);
    // The context and the scripts are known from here on: the next reply is the one of the work.
    await app.cache.set(tenant.caller, entry, value);
    await app.cache.delete(tenant.caller, entry);
  });
  afterEach(() => proxy.stop());

  const meter = () => gateState(direct, tenant.tenant.id).meter();
  const consistent = async () => {
    const { memory, entries } = await meter();
    const { index } = await tenantState(direct, tenant.tenant.id);
    const stored = await direct.cache.head(tenant.caller, entry);
    expect({ entries, members: (index as unknown[]).length }).toEqual(
      stored === null ? { entries: 0n, members: 0 } : { entries: 1n, members: 3 },
    );
    expect(memory > 0n).toBe(stored !== null);
  };

  it('of a set: answered, and counted once', async () => {
    const before = await meter();
    proxy.loseNextReply();
    expect(await app.cache.set(tenant.caller, entry, value)).toMatchObject({ rawBytes: 1 });
    const after = await meter();
    expect(after).toMatchObject({
      ops: before.ops + 1n,
      seq: before.seq + 1n,
      bytesIn: before.bytesIn + 1n,
      entries: 1n,
    });
    expect(after.minuteOps === before.minuteOps + 1n || after.minute > before.minute).toBe(true);
    await consistent();
  });

  it('of a removal: answered, and counted once, whatever is removed meanwhile', async () => {
    await app.cache.set(tenant.caller, entry, value);
    const before = await meter();
    let attempts = 0;
    between = async ({ phase }) => {
      if (phase !== 'before' || ++attempts !== 2) return;
      const others = Array.from({ length: 50 }, (_, i) => ({ ...entry, key: `other-${i}` }));
      await Promise.all(others.map((other) => direct.cache.delete(tenant.caller, other)));
    };
    proxy.loseNextReply();
    expect(await app.cache.delete(tenant.caller, entry)).toBe(true);
    const after = await meter();
    expect(after).toMatchObject({ ops: before.ops + 51n, seq: before.seq + 1n, entries: 0n, memory: 0n });
    await consistent();
  });

  it('carries work known only afterwards once', async () => {
    app.gate.carry(tenant.tenant.id, 500);
    proxy.loseNextReply();
    await app.cache.set(tenant.caller, entry, value);
    expect(await meter()).toMatchObject({ computeUs: 500n });
  });

  it('carries it once, too, where somebody else wrote before it asked again', async () => {
    app.gate.carry(tenant.tenant.id, 500);
    let lost = false;
    between = async ({ phase }) => {
      if (phase !== 'after' || lost) return;
      lost = true;
      await direct.cache.set(tenant.caller, entry, { ...value, value: Buffer.from('other') });
      throw new OutcomeUnknownError('lost');
    };
    await app.cache.set(tenant.caller, entry, value);
    expect(await meter()).toMatchObject({ computeUs: 500n });
  });

  it('with no reply again: says the outcome is unknown, and leaves nothing half-done', async () => {
    proxy.mode('drop-replies');
    const unknown = { status: 503, code: 'outcome_unknown' };
    await expect(app.cache.set(tenant.caller, entry, value)).rejects.toMatchObject(unknown);
    await consistent();
    proxy.mode('pass');
    await app.cache.set(tenant.caller, entry, value);
    await consistent();
  });

  it('with a second loss: says the outcome is unknown, and counts once', async () => {
    const before = await meter();
    let lost = 0;
    between = ({ phase }) => {
      if (phase !== 'after' || lost === 2) return;
      lost++;
      throw new OutcomeUnknownError('lost');
    };
    await expect(app.cache.set(tenant.caller, entry, value)).rejects.toMatchObject({ code: 'outcome_unknown' });
    expect(lost).toBe(2);
    expect(await meter()).toMatchObject({ ops: before.ops + 1n, seq: before.seq + 1n, entries: 1n });
    await consistent();
  });

  it('does not say that nothing was changed when asking again is refused', async () => {
    const gate = gateState(direct, tenant.tenant.id);
    await gate.setRate(60, 1);
    await gate.setMeter({ level: 0n });
    proxy.loseNextReply();
    await expect(app.cache.set(tenant.caller, entry, value)).rejects.toMatchObject({
      status: 503,
      code: 'outcome_unknown',
      cause: { code: 'rate_limited' },
    });
    expect(await meter()).toMatchObject({ entries: 1n });
  });

  it('does not say so either when Redis cannot be reached to ask again', async () => {
    let attempts = 0;
    between = async ({ phase }) => {
      if (phase === 'before' && ++attempts === 2) await proxy.refuse();
    };
    proxy.loseNextReply();
    await expect(app.cache.set(tenant.caller, entry, value)).rejects.toMatchObject({ code: 'outcome_unknown' });
    expect(attempts).toBe(2);
    expect(await meter()).toMatchObject({ entries: 1n });
  });

  it('does not say that a condition failed which the lost write itself may have made fail', async () => {
    const { etag } = await app.cache.set(tenant.caller, entry, value);
    const others = { ...value, value: Buffer.from('of another') };
    let attempts = 0;
    between = async ({ phase }) => {
      if (phase === 'before' && ++attempts === 2) await direct.cache.set(tenant.caller, entry, others);
    };
    const unknown = { status: 503, code: 'outcome_unknown' };
    proxy.loseNextReply();
    await expect(
      app.cache.set(tenant.caller, entry, { ...value, value: Buffer.from('w'), condition: { etags: [etag] } }),
    ).rejects.toMatchObject(unknown);
    expect(attempts).toBe(2);
    expect(await direct.cache.get(tenant.caller, entry)).toMatchObject({ value: others.value });
  });

  it('does not ask again after the deadline', async () => {
    const deadline = new AbortController();
    let calls = 0;
    between = ({ phase }) => {
      calls += phase === 'before' ? 1 : 0;
      if (phase === 'before') return;
      deadline.abort();
      throw new OutcomeUnknownError('lost');
    };
    const write = app.cache.set({ ...tenant.caller, signal: deadline.signal }, entry, value);
    await expect(write).rejects.toMatchObject({ code: 'outcome_unknown' });
    expect(calls).toBe(1);
  });
});
