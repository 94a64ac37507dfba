/** Flows of loading and exporting entries, and of the statistics, and the calls each makes. */
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { App } from '../../../lib/app.ts';
import { ExportCacheRequest } from '../../../lib/cache/exports/export-contract.ts';
import { WarmCacheRequest } from '../../../lib/cache/warming/warm-contract.ts';
import { newJobId, newUlid } from '../../../lib/ids.ts';
import { newTenant, type TestTenant } from '../app.ts';
import { auditTenant } from '../audit-tenant.ts';
import { gateState } from '../gate-state.ts';
import { endLease } from '../job-service.ts';
import { keysOf } from '../tenant-state.ts';
import type { Flow } from './flow.ts';

const NAME = { namespace: 'ns', key: 'k' };
const VALUE = Buffer.from('value');

const put = (app: App, { caller }: TestTenant) =>
  app.cache.set(caller, NAME, { value: VALUE, meta: { content_type: 'text/plain' } });

const expectStored = async (app: App, { tenant, caller }: TestTenant) => {
  expect(await app.cache.get(caller, NAME)).toMatchObject({ value: VALUE });
  expect(await auditTenant(app, tenant.id)).toBe(1);
};

const warmEntries: Flow = {
  name: 'load entries',
  calls: ['peek-cache-entries', 'append-audit', 'store-cache-entries', 'store-cache-entries'],
  async prepare(app, direct) {
    const tenant = await newTenant(direct);
    const entries = [{ ...NAME, value: 'value' }];
    const request = WarmCacheRequest.parse({ tenant_id: tenant.caller.tenantId, entries });
    const ulid = newUlid(Date.now());
    return {
      run: (signal) => app.warming.warm(request, { dryRun: false, ulid, signal }),
      async verify(result) {
        expect(result).toMatchObject({ report: { counts: { stored: 1 } } });
        await expectStored(direct, tenant);
      },
    };
  },
};

const exportRequest = ({ caller }: TestTenant) =>
  ExportCacheRequest.parse({ tenant_id: caller.tenantId, namespace: 'ns' });

/** A job that the schedule begins. Whatever is due otherwise is run before. */
async function exportOf(direct: App, tenant: TestTenant) {
  await direct.jobs.run();
  const { tenant_id: tenantId, ...params } = exportRequest(tenant);
  return direct.jobs.start({ kind: 'export-cache', tenantId, params, unit: 'entries' });
}

async function expectExported(direct: App, tenant: TestTenant, id: string) {
  const { status, result } = await direct.jobs.get(id);
  expect({ status, result }).toMatchObject({ status: 'done', result: { entries: 1, damaged: 0 } });
  const request = WarmCacheRequest.parse({ tenant_id: tenant.caller.tenantId, export: result?.manifest });
  const warmed = await direct.warming.warm(request, { dryRun: true });
  expect(warmed).toMatchObject({ report: { counts: { skipped_exists: 1 } } });
}

const exportEntries: Flow = {
  name: 'export entries',
  calls: [
    'find-due-jobs',
    'claim-job',
    'peek-cache-entries',
    'ZLEXCOUNT',
    'ZRANGE',
    'peek-cache-entries',
    'blobs put',
    'blobs put',
    'save-job',
    'find-due-jobs',
  ],
  async prepare(app, direct) {
    const tenant = await newTenant(direct);
    await put(direct, tenant);
    await direct.jobs.run();
    const { tenantId } = tenant.caller;
    const { tenant_id: _of, ...params } = ExportCacheRequest.parse({ tenant_id: tenantId, namespace: 'ns' });
    const { id } = await direct.jobs.start({ kind: 'export-cache', tenantId, params, unit: 'entries' });
    return {
      async run(signal) {
        await endLease(direct, id);
        return app.jobs.run(signal);
      },
      verify: () => expectExported(direct, tenant, id),
    };
  },
};

const exportAtOnce: Flow = {
  name: 'export a few entries with the request',
  calls: [
    'peek-cache-entries',
    'append-audit',
    'start-job',
    'claim-job',
    'peek-cache-entries',
    'ZLEXCOUNT',
    'ZRANGE',
    'peek-cache-entries',
    'blobs put',
    'blobs put',
    'save-job',
  ],
  async prepare(app, direct) {
    const tenant = await newTenant(direct);
    await put(direct, tenant);
    const ulid = newUlid(Date.now());
    return {
      run: (signal) => app.warming.export(exportRequest(tenant), { ulid, signal }),
      // What the request did not come to, the schedule does.
      async verify() {
        const id = newJobId(ulid);
        await endLease(direct, id);
        await direct.jobs.run();
        await expectExported(direct, tenant, id);
      },
    };
  },
};

const warmExport: Flow = {
  name: 'load an export',
  calls: [
    'find-due-jobs',
    'claim-job',
    'blobs get',
    'peek-cache-entries',
    'blobs get',
    'store-cache-entries',
    'store-cache-entries',
    'save-job',
    'find-due-jobs',
  ],
  async prepare(app, direct) {
    const tenant = await newTenant(direct);
    await put(direct, tenant);
    const { id: exportId } = await exportOf(direct, tenant);
    await direct.jobs.run();
    const { result } = await direct.jobs.get(exportId);
    await direct.cache.delete(tenant.caller, NAME);
    const params = { export: String(result?.manifest), overwrite: false, dryRun: false };
    const { tenantId } = tenant.caller;
    const { id } = await direct.jobs.start({ kind: 'warm-cache', tenantId, params, unit: 'entries' });
    return {
      async run(signal) {
        await endLease(direct, id);
        return app.jobs.run(signal);
      },
      async verify() {
        expect(await direct.jobs.get(id)).toMatchObject({ status: 'done', result: { counts: { stored: 1 } } });
        await expectStored(direct, tenant);
      },
    };
  },
};

const warmCold: Flow = {
  name: 'bring cold values back',
  calls: ['peek-cache-entries', 'append-audit', 'ZRANGE', 'peek-cache-entries', 'GET', 'blobs get', 'move-cache-entry'],
  async prepare(app, direct) {
    const quotas = { operations_per_minute: 1_000, memory_bytes: 2_700 };
    const tenant = await newTenant(direct, { quotas });
    const value = randomBytes(1_500);
    await direct.cache.set(tenant.caller, NAME, { value, meta: { content_type: 'text/plain' }, ttlMs: 3_600_000 });
    await direct.memoryBudget.run();
    const request = WarmCacheRequest.parse({ tenant_id: tenant.caller.tenantId, cold: { limit: 1 } });
    const ulid = newUlid(Date.now());
    return {
      run: (signal) => app.warming.warm(request, { dryRun: false, ulid, signal }),
      async verify() {
        const { storage } = await gateState(direct, tenant.tenant.id).meter();
        expect(storage).toBe(0n);
        expect(await direct.cache.get(tenant.caller, NAME)).toMatchObject({ value });
        expect(await auditTenant(direct, tenant.tenant.id)).toBe(1);
      },
    };
  },
};

const sumUp: Flow = {
  name: 'sum up statistics',
  calls: ['ZRANGE', 'HMGET', 'SET'],
  async prepare(app, direct) {
    await put(direct, await newTenant(direct));
    return {
      run: (signal) => app.cacheStatsSum.run(signal),
      async verify() {
        const { as_of, total_keys } = await direct.cacheStats.ofAll();
        expect(as_of).not.toBeNull();
        expect(total_keys).toBeGreaterThan(0);
      },
    };
  },
};

const removeOldExports: Flow = {
  name: 'look for old exports',
  calls: ['SET', 'blobs list'],
  async prepare(app, direct) {
    await direct.redis.send(['DEL', keysOf(direct).exportsLooked()], { kind: 'write' });
    return { run: (signal) => app.oldExports.run(signal), verify: async () => {} };
  },
};

export const warmingFlows: readonly Flow[] = [
  warmEntries,
  exportEntries,
  exportAtOnce,
  warmExport,
  warmCold,
  sumUp,
  removeOldExports,
];
