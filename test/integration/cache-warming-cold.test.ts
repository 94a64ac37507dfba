/** Values that were moved to S3, brought back for an administrator. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import type { StoredEntry } from '../../lib/cache/entry.ts';
import { WarmCacheRequest, WarmCacheResponse } from '../../lib/cache/warming/warm-contract.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { newUlid } from '../../lib/ids.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { auditTenant } from '../support/audit-tenant.ts';
import { gateState } from '../support/gate-state.ts';

const name = (key: string) => ({ namespace: 'ns', key });

async function warm(app: App, { tenantId }: Caller, body: object, dryRun = false): Promise<WarmCacheResponse> {
  const warmed = await app.warming.warm(WarmCacheRequest.parse({ tenant_id: tenantId, ...body }), { dryRun });
  return WarmCacheResponse.strict().parse('report' in warmed ? warmed.report : null);
}

describe.each(TRANSPORTS)('warming from the cold tier over %s [C11 C13 A8]', (transport) => {
  /** 20 values, some of which the schedule has moved to S3; a pass is over all tenants, so the deployment is its own. */
  async function cooled(encryption: boolean) {
    const app = await testApp({ transport, env: { PERSISTENCE_CACHE_KEY_PREFIX: `wc-${newUlid(Date.now())}` } });
    const quotas = { operations_per_minute: 1_000_000, memory_bytes: 100_000 };
    const { tenant, caller } = await newTenant(app, { quotas, encryption });
    const values = new Map(Array.from({ length: 20 }, (_, i) => [`k${i}`, randomBytes(3_000)]));
    for (const [key, value] of values)
      await app.cache.set(caller, name(key), { value, meta: { content_type: 'text/plain' }, ttlMs: 3_600_000 });
    const { spilled } = await app.memoryBudget.run();
    expect(spilled).toBeGreaterThan(3);
    return { app, tenant, caller, values, spilled };
  }

  it.each([
    { what: 'plain', encryption: false },
    { what: 'sealed', encryption: true },
  ])('brings $what values back that are named, and tells of each', async ({ encryption }) => {
    const { app, tenant, caller, values, spilled } = await cooled(encryption);
    const cold_keys = { namespace: 'ns', keys: [...values.keys(), 'none'] };
    const would = await warm(app, caller, { cold_keys }, true);
    expect(would.counts).toEqual({ skipped_absent: 1, skipped_exists: 20 - spilled, stored: spilled });
    expect(Number((await gateState(app, tenant.id).meter()).storage)).toBeGreaterThan(0);
    const report = await warm(app, caller, { cold_keys });
    expect(report).toMatchObject({ counts: would.counts, dry_run: false });
    expect((await gateState(app, tenant.id).meter()).storage).toBe(0n);
    expect(await auditTenant(app, tenant.id)).toBe(20);
    for (const [key, value] of values) {
      const found = (await app.cache.get(caller, name(key))) as StoredEntry | null;
      expect(found?.value.equals(value), key).toBe(true);
    }
    expect((await warm(app, caller, { cold_keys })).counts).toEqual({ skipped_absent: 1, skipped_exists: 20 });
  });

  it('brings back those used last, as many as are asked for', async () => {
    const { app, tenant, caller, spilled } = await cooled(false);
    expect((await warm(app, caller, { cold: { limit: 2 } })).counts).toEqual({ stored: 2 });
    expect((await warm(app, caller, { cold: { limit: 1_000 } })).counts).toEqual({ stored: spilled - 2 });
    expect(await auditTenant(app, tenant.id)).toBe(20);
    expect((await warm(app, caller, { cold: { limit: 10 } })).items).toEqual([]);
  });

  it('says so when an object is gone, and when a value is too large for Redis', async () => {
    const { app, caller } = await cooled(false);
    const large = { value: randomBytes(400_000), meta: { content_type: 'text/plain' } };
    await app.cache.set(caller, name('large'), large);
    const { items } = await app.blobs.list({ prefix: `cache/${caller.tenantId}/` });
    await app.blobs.delete(items.map(({ key }) => key));
    const report = await warm(app, caller, { cold: { limit: 100 } });
    expect(report.counts.stored).toBeUndefined();
    expect(report.items.find(({ key }) => key === 'large')?.status).toBe('too_large');
    expect(report.counts.not_moved).toBeGreaterThan(3);
  });
});
