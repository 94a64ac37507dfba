/** Redis is lost: S3 alone brings back the tenants, their keys, quotas and invoices as they were last known, and their data. */
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { DOOMED_FOR_MS } from '../../lib/cleaning/doomed-objects.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { parseApiKey } from '../../lib/gate/caller.ts';
import { periodPoint } from '../../lib/gate/counters.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { newTenant, TRANSPORTS } from '../support/app.ts';
import { months, textOf } from '../support/billing-state.ts';
import { auditCache } from '../support/cache-audit.ts';
import { letDoomedFallDue } from '../support/cache-blobs.ts';
import { gateState } from '../support/gate-state.ts';
import { endLease } from '../support/job-service.ts';
import { redisTimeMs } from '../support/redis-time.ts';
import { restore, startRestore } from '../support/restoring.ts';
import { spillAll, texts } from '../support/spill-tools.ts';
import { checkpoint, jobResult, stateApp } from '../support/state-app.ts';
import { keysOf } from '../support/tenant-state.ts';

beforeAll(() => telemetry.logger.setLogLevel('SILENT'));

const META = { content_type: 'text/plain' };
const named = (key: string) => ({ namespace: 'ns', key });
const set = (app: App, caller: Caller, key: string, value: Buffer) =>
  app.cache.set(caller, named(key), { value, meta: META });
const read = async (app: App, caller: Caller, key: string) => {
  const entry = await app.cache.get(caller, named(key));
  return entry !== null && 'value' in entry ? entry.value : null;
};

/** All that the deployment has in Redis is gone. */
async function loseRedis(app: App): Promise<void> {
  const first = keysOf(app).tenants().slice(0, -'{sys}:tenants'.length);
  for (let cursor = '0'; ; ) {
    const found = await app.redis.send(['SCAN', cursor, 'MATCH', `${first}*`, 'COUNT', 5_000], { kind: 'read' });
    const [next, keys] = found as [string, string[]];
    for (const key of keys) await app.redis.send(['UNLINK', key], { kind: 'write' });
    cursor = next;
    if (cursor === '0') return;
  }
}

describe.each(TRANSPORTS)('an empty Redis, over %s [K3 K5]', (transport) => {
  it('has all tenants again: listed, with keys that work; sessions only when asked for', async () => {
    const { app, emptied } = await stateApp({ transport });
    const plain = await newTenant(app);
    const sealed = await newTenant(app, { encryption: true });
    const sessions: string[] = [];
    for (const { caller } of [plain, sealed]) {
      await set(app, caller, 'k', Buffer.from('v'));
      await set(app, caller, 'large', randomBytes(300_000));
      for (let i = 0; i < 2; i++) {
        sessions.push((await app.sessions.create(caller, { userId: 'ada', data: texts({ i }) })).id);
        if (i === 0) await spillAll(app, caller.tenantId);
      }
    }
    const { checkpoint_id } = await checkpoint(app);
    for (const withSessions of [false, true]) {
      const empty = await emptied({ transport });
      expect((await empty.checkpoints.list({ limit: 5 })).items.map(({ id }) => id)).toEqual([checkpoint_id]);
      const sessionsAsked = withSessions ? 'revive' : 'known';
      const dry = await restore(empty, checkpoint_id as string, { dryRun: true, sessions: sessionsAsked });
      expect(dry.tenants.map(({ outcome }) => outcome)).toEqual(['would_revive', 'would_revive']);
      const { totals, safety_checkpoint_id } = await restore(empty, checkpoint_id as string, {
        sessions: sessionsAsked,
      });
      expect(totals).toMatchObject({ tenants_revived: 2, cache: 4, sessions: withSessions ? 4 : 0 });
      expect(safety_checkpoint_id).toBe(null);
      const { items } = await empty.tenantList.list({ limit: 10 } as never);
      expect(items.map(({ id }) => id).toSorted()).toEqual([plain.tenant.id, sealed.tenant.id].toSorted());
      for (const [i, { caller, tenant }] of [plain, sealed].entries()) {
        expect(String(await read(empty, caller, 'k'))).toBe('v');
        expect((await read(empty, caller, 'large'))?.length).toBe(300_000);
        const found = await Promise.all(sessions.slice(2 * i, 2 * i + 2).map((id) => empty.sessions.get(caller, id)));
        expect(found.map((session) => session?.data.get('i') ?? null)).toEqual(
          withSessions ? ['0', '1'] : [null, null],
        );
        const { key } = await empty.apiKeys.create(tenant.id, { scopes: ['*'], expires_at: null });
        await set(empty, parseApiKey(key), 'k2', Buffer.from('w'));
        if (withSessions) await auditCache(empty, tenant.id);
      }
    }
  });

  it('takes what administration knew from the newest checkpoint, whichever is restored', async () => {
    const { app, emptied } = await stateApp({ transport });
    const { caller, tenant } = await newTenant(app);
    const old = await app.apiKeys.create(tenant.id, { scopes: ['*'], expires_at: null });
    const late = await app.apiKeys.create(tenant.id, { scopes: ['*'], expires_at: null });
    await set(app, caller, 'k', Buffer.from('old'));
    const first = await checkpoint(app);
    await set(app, caller, 'k', Buffer.from('new'));
    const added = await app.apiKeys.create(tenant.id, { scopes: ['cache:read'], expires_at: null });
    await app.apiKeys.revoke(tenant.id, old.id);
    await app.tenantAdmin.update(tenant.id, { name: 'Renamed', quotas: { memory_bytes: 123_456_789 } } as never, {});
    const request = await app.quotaRequests.create(tenant.id, {
      quotas: { memory_bytes: 200_000_000 },
      reason: 'more',
    });
    const [, last] = await months(app, 2);
    if (last === undefined) throw new Error('There is a month before');
    await gateState(app, tenant.id).write(
      periodPoint(last.endMs),
      textOf(last.startMs + 86_400_000, { operations: 77 }),
    );
    await checkpoint(app);
    const before = await gateState(app, tenant.id).meter();
    // After the newest: S3 has it nevertheless.
    await app.apiKeys.revoke(tenant.id, late.id);
    const empty = await emptied({ transport });
    await restore(empty, first.checkpoint_id as string);
    expect(String(await read(empty, caller, 'k'))).toBe('old');
    for (const { key } of [old, late])
      await expect(empty.cache.get(parseApiKey(key), named('k'))).rejects.toMatchObject({ status: 401 });
    expect(await empty.cache.get(parseApiKey(added.key), named('k'))).not.toBe(null);
    await expect(set(empty, parseApiKey(added.key), 'x', Buffer.from('x'))).rejects.toMatchObject({ status: 403 });
    expect(await empty.tenants.get(tenant.id)).toMatchObject({ name: 'Renamed' });
    expect((await empty.quotaRequests.list(tenant.id, { limit: 10 } as never)).items.map(({ id }) => id)).toEqual([
      request.id,
    ]);
    const after = await gateState(empty, tenant.id).meter();
    for (const name of ['ops', 'transfer', 'bytesIn', 'misses'] as const)
      expect(after[name], name).toBeGreaterThanOrEqual(before[name]);
    expect(await gateState(empty, tenant.id).read(periodPoint(last.endMs))).toContain(',77,');
    await auditCache(empty, tenant.id);
  });

  it('keeps what checkpoints name from then on, though none was made since', async () => {
    const { app, emptied } = await stateApp({ transport });
    const { caller } = await newTenant(app);
    await set(app, caller, 'large', randomBytes(300_000));
    const { checkpoint_id } = await checkpoint(app);
    const empty = await emptied({ transport });
    await restore(empty, checkpoint_id as string);
    await empty.cache.delete(caller, named('large'));
    await letDoomedFallDue(empty, keysOf(empty), caller.tenantId, (await redisTimeMs(empty)) - DOOMED_FOR_MS);
    await empty.cleanUp.run();
    await restore(empty, checkpoint_id as string);
    expect((await read(empty, caller, 'large'))?.length).toBe(300_000);
  });

  it('serves at once to instances that knew the tenant before', async () => {
    const { app, again } = await stateApp({ transport });
    const warm = await again();
    const { caller, tenant } = await newTenant(app, { encryption: true });
    const big = randomBytes(20_000);
    await set(app, caller, 'k', big);
    await set(app, caller, 'small', Buffer.from('then'));
    const session = await app.sessions.create(caller, { userId: 'ada', data: texts({ a: 1 }) });
    for (let i = 0; i < 3; i++) expect(await read(warm, caller, 'k')).toEqual(big);
    const { checkpoint_id } = await checkpoint(app);
    const later = randomBytes(20_000);
    for (let i = 0; i < 20; i++) await set(warm, caller, 'k', later);
    for (let i = 0; i < 3; i++) expect(await read(warm, caller, 'k')).toEqual(later);
    await loseRedis(app);
    await expect(read(warm, caller, 'k')).rejects.toMatchObject({ status: 401 });
    await restore(app, checkpoint_id as string, { sessions: 'revive' });
    expect(await read(warm, caller, 'k')).toEqual(big);
    expect((await warm.sessions.get(caller, session.id))?.data.get('a')).toBe('1');
    // And after a switch.
    await set(app, caller, 'k', later);
    await set(app, caller, 'small', Buffer.from('now'));
    expect(await read(warm, caller, 'k')).toEqual(later);
    await restore(app, checkpoint_id as string);
    expect(await read(warm, caller, 'k')).toEqual(big);
    expect(String(await read(warm, caller, 'small'))).toBe('then');
    await set(warm, caller, 'k', later);
    expect(await read(app, caller, 'k')).toEqual(later);
    await auditCache(warm, tenant.id);
  });
});

describe('data keys while KMS does not answer [A9 K3]', () => {
  it('are waited for: nothing is touched until then', async () => {
    const { app, again } = await stateApp({ transport: 'tcp' });
    const { caller } = await newTenant(app, { encryption: true });
    await set(app, caller, 'k', Buffer.from('v'));
    const { checkpoint_id } = await checkpoint(app);
    const prefix = { PERSISTENCE_CACHE_KEY_PREFIX: `state-${randomBytes(6).toString('hex')}` };
    const deaf = await again({ env: { ...prefix, PERSISTENCE_ENCRYPTION_KMS_ENDPOINT: 'http://127.0.0.1:9' } });
    const id = await startRestore(deaf, checkpoint_id as string);
    expect(await deaf.jobs.get(id)).toMatchObject({ status: 'running' });
    expect(await deaf.tenantList.list({ limit: 10 } as never)).toMatchObject({ items: [] });
    const empty = await again({ env: prefix });
    await endLease(empty, id);
    expect(await jobResult(empty, id)).toMatchObject({ tenants: [{ outcome: 'revived' }] });
    expect(String(await read(empty, caller, 'k'))).toBe('v');
  });
});
