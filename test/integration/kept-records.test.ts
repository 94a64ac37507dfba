/** Records that no generation takes away have an index of their own: whoever looks for what has expired looks at both. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { KEPT_GENERATION } from '../../lib/keys.ts';
import { removeExpiredRecords } from '../../lib/redis/bindings/record-scripts.ts';
import type { FailpointHook } from '../../lib/redis/failpoints.ts';
import { runScript } from '../../lib/redis/script.ts';
import { newTenant, type TestTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { auditRecords } from '../support/audit-tenant.ts';
import { gateState } from '../support/gate-state.ts';
import { limitState } from '../support/limit-state.ts';
import { passMs } from '../support/redis-time.ts';
import { keysOf } from '../support/tenant-state.ts';

const text = { content_type: 'text/plain' };
const value = { value: Buffer.alloc(1_000, 'v'), meta: text, ttlMs: null };
const named = (key: string) => ({ namespace: 'ns', key });
const how = { name: 'logins', identifier: 'user-1', limit: 5, windowMs: 1 };

describe.each(TRANSPORTS)('what has expired, over %s [T4 C4]', (transport) => {
  let app: App;
  let made: TestTenant;
  let watch: FailpointHook = () => {};
  beforeAll(async () => {
    app = await testApp({ transport, failpoint: (call) => watch(call) });
    // Redis knows it from here on: it is sent once.
    const { tenantId } = (await newTenant(app)).caller;
    const slots = { gate: keysOf(app).gate(tenantId), index: keysOf(app).index(tenantId, 1), records: [] };
    await runScript(app.redis, removeExpiredRecords, { keys: slots, args: { expiries: [] }, kind: 'write' });
  });
  beforeEach(async () => {
    watch = () => {};
    made = await newTenant(app);
  });

  /** The state of a limit that is whole again, listed as due. */
  const expiredLimit = async () => {
    await app.rateLimiter.check(made.caller, how);
    const state = limitState(app, made.tenant.id, how.name, how.identifier);
    await state.listUnder(Date.now() - 1_000);
    await state.pass(10_000);
  };
  const expiredEntry = async () => {
    await app.cache.set(made.caller, named('old'), { ...value, ttlMs: 1 });
    await passMs(app);
  };
  /** Lets the tenant have no byte more than it has. */
  const fill = async () => {
    const gate = gateState(app, made.tenant.id);
    const quotas = { ...made.tenant.quotas, memory_bytes: Number((await gate.meter()).memory) };
    await gate.setLimits({ quotas });
  };
  const callsOf = async (work: () => Promise<unknown>) => {
    const calls: string[] = [];
    watch = ({ name, phase }) => void (phase === 'before' && calls.push(name));
    await work();
    watch = () => {};
    return calls;
  };

  it('makes room for a write of either kind, of both indexes', async () => {
    await expiredLimit();
    await expiredEntry();
    await fill();
    const calls = await callsOf(() => app.cache.set(made.caller, named('new'), value));
    const removals = ['remove-expired-records', 'remove-expired-records'];
    expect(calls).toEqual(['set-cache-entry', 'ZRANGE', ...removals, 'set-cache-entry']);
    expect(await auditRecords(app, made.tenant.id)).toEqual({ c: 1, l: 0, i: 0, s: 0 });
  });

  it('costs no more where the kept ones have nothing due', async () => {
    await expiredEntry();
    await fill();
    const calls = await callsOf(() => app.cache.set(made.caller, named('new'), value));
    expect(calls).toEqual(['set-cache-entry', 'ZRANGE', 'remove-expired-records', 'set-cache-entry']);
  });

  it('is removed by clean-up from both, whatever generation the data is in', async () => {
    await expiredLimit();
    await expiredEntry();
    const report = await app.cleanUp.run();
    expect(report.removed).toBeGreaterThanOrEqual(2);
    expect(await auditRecords(app, made.tenant.id)).toEqual({ c: 0, l: 0, i: 0, s: 0 });
    const keys = keysOf(app);
    const indexes = [keys.index(made.caller.tenantId, 1), keys.index(made.caller.tenantId, KEPT_GENERATION)];
    expect(await app.redis.send(['EXISTS', ...indexes], { kind: 'read' })).toBe(0);
  });
});
