/** Exports of a namespace: made by a job, opened by anybody's lz4, loaded again as they were. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { ExportCacheRequest } from '../../lib/cache/exports/export-contract.ts';
import { createOldExports } from '../../lib/cache/exports/old-exports.ts';
import { WarmCacheRequest } from '../../lib/cache/warming/warm-contract.ts';
import { newUlid, type TenantId } from '../../lib/ids.ts';
import type { JobResponse } from '../../lib/jobs/contract.ts';
import { exportPrefix } from '../../lib/keys.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { newTenant, type TestTenant, TRANSPORTS, type Transport, testApp } from '../support/app.ts';
import { auditTenant } from '../support/audit-tenant.ts';
import { anExportEntry } from '../support/export-entries.ts';
import { keysOf } from '../support/tenant-state.ts';

/** Its jobs are its own: no other test runs them. */
const ownApp = (transport: Transport, env: Record<string, string> = {}) =>
  testApp({ transport, env: { PERSISTENCE_CACHE_KEY_PREFIX: `ex-${newUlid(Date.now())}`, ...env } });

const run = async (app: App, id: string): Promise<JobResponse> => {
  await app.jobs.run();
  return app.jobs.get(id);
};

async function exported(app: App, tenantId: TenantId, more: object = {}): Promise<JobResponse & { result: Result }> {
  const request = ExportCacheRequest.parse({ tenant_id: tenantId, namespace: 'ns', ...more });
  const job = await run(app, (await app.warming.export(request, {})).id);
  expect(job).toMatchObject({ status: 'done' });
  return job as JobResponse & { result: Result };
}

interface Result {
  readonly manifest: string;
  readonly entries: number;
  readonly frames: number;
  readonly damaged: number;
  readonly encrypted: boolean;
}

async function warmed(app: App, tenantId: TenantId, manifest: string, more: object = {}) {
  const request = WarmCacheRequest.parse({ tenant_id: tenantId, export: manifest, ...more });
  const outcome = await app.warming.warm(request, { dryRun: false });
  if ('report' in outcome) return outcome.report;
  return (await run(app, outcome.job.id)).result as unknown as (typeof outcome & { report: never })['report'];
}

const put = (app: App, { caller }: TestTenant, key: string, value: Buffer | string, more: object = {}) =>
  app.cache.set(
    caller,
    { namespace: 'ns', key },
    { value: Buffer.from(value), meta: { content_type: 'text/plain' }, ...more },
  );

const objectsOf = async (app: App, manifest: string) => {
  const { body } = (await app.blobs.get(manifest)) as { body: Buffer };
  const { objects } = JSON.parse(body.toString()) as { objects: string[] };
  return objects.map((name) => manifest.replace('manifest.json', name));
};

describe.each(TRANSPORTS)('an export over %s [C11 A8 K4]', (transport) => {
  it('has every entry that a read would see, and is opened by lz4 -d', async () => {
    const app = await ownApp(transport);
    const tenant = await newTenant(app);
    for (const key of ['a', 'b/1', 'b/2', 'ü\n']) await put(app, tenant, key, `value of ${key}`);
    const { result } = await exported(app, tenant.caller.tenantId);
    expect(result).toMatchObject({ entries: 4, frames: 1, damaged: 0, encrypted: false });
    const objects = await objectsOf(app, result.manifest);
    const { body } = (await app.blobs.get(objects[0] as string)) as { body: Buffer };
    const lines = execFileSync('lz4', ['-d', '-c'], { input: body }).toString().trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).value)).toEqual(
      ['a', 'b/1', 'b/2', 'ü\n'].map((key) => `value of ${key}`),
    );
    expect(await exported(app, tenant.caller.tenantId, { prefix: 'b/' })).toMatchObject({ result: { entries: 2 } });
    expect(await exported(app, tenant.caller.tenantId, { namespace: 'other' })).toMatchObject({
      result: { entries: 0, frames: 0 },
    });
  });

  it('is of several frames where it is large, large values in S3 too; and is loaded again as it was', async () => {
    const app = await ownApp(transport);
    const tenant = await newTenant(app);
    const values = new Map(Array.from({ length: 12 }, (_, i) => [`k${i}`, randomBytes(i === 5 ? 3_000_000 : 700_000)]));
    for (const [key, value] of values) await put(app, tenant, key, value, { ttlMs: 3_600_000, graceMs: 1_000 });
    const before = await app.cache.head(tenant.caller, { namespace: 'ns', key: 'k3' });
    const { result } = await exported(app, tenant.caller.tenantId);
    expect(result.frames).toBeGreaterThan(2);
    for (const key of values.keys()) await app.cache.delete(tenant.caller, { namespace: 'ns', key });
    const report = await warmed(app, tenant.caller.tenantId, result.manifest);
    expect(report).toEqual({ dry_run: false, counts: { stored: 12 }, items: [] });
    for (const [key, value] of values) {
      const found = await app.cache.get(tenant.caller, { namespace: 'ns', key });
      expect((found as { value: Buffer }).value.equals(value)).toBe(true);
    }
    const after = await app.cache.head(tenant.caller, { namespace: 'ns', key: 'k3' });
    expect(after).toMatchObject({ expiresAtMs: before?.expiresAtMs, freshUntilMs: before?.freshUntilMs });
    expect(await auditTenant(app, tenant.tenant.id)).toBe(12);
    expect(await warmed(app, tenant.caller.tenantId, result.manifest)).toMatchObject({
      counts: { skipped_exists: 12 },
    });
  }, 60_000);

  it('of an encrypting tenant is sealed, unless it is asked for in plain text', async () => {
    const app = await ownApp(transport);
    const tenant = await newTenant(app, { encryption: true });
    await put(app, tenant, 'a', 'PLAIN-TEXT-MARK');
    const { result } = await exported(app, tenant.caller.tenantId);
    expect(result.encrypted).toBe(true);
    for (const object of await objectsOf(app, result.manifest))
      expect((await app.blobs.get(object))?.body.includes('PLAIN-TEXT-MARK')).toBe(false);
    await app.cache.delete(tenant.caller, { namespace: 'ns', key: 'a' });
    expect(await warmed(app, tenant.caller.tenantId, result.manifest)).toMatchObject({ counts: { stored: 1 } });
    expect(await exported(app, tenant.caller.tenantId, { plaintext: true })).toMatchObject({
      result: { encrypted: false },
    });
  });

  it('is of its tenant alone', async () => {
    const app = await ownApp(transport);
    const [a, b] = [await newTenant(app), await newTenant(app)];
    await put(app, a, 'a', 'of a');
    const { result } = await exported(app, a.caller.tenantId);
    const request = WarmCacheRequest.parse({ tenant_id: b.caller.tenantId, export: result.manifest });
    await expect(app.warming.warm(request, { dryRun: false })).rejects.toMatchObject({ code: 'export_not_found' });
    const { result: ofB } = await exported(app, b.caller.tenantId);
    expect(ofB.entries).toBe(0);
    const objects = await app.blobs.list({ prefix: exportPrefix(b.caller.tenantId) });
    expect(objects.items).toHaveLength(1);
  });
});

describe('loading an export that is damaged [C11 T8]', () => {
  it('tells of the lines of a frame that cannot be used, and loads the others', async () => {
    const app = await ownApp('tcp');
    telemetry.logger.setLogLevel('SILENT');
    const tenant = await newTenant(app);
    for (let i = 0; i < 12; i++) await put(app, tenant, `k${String(i).padStart(2, '0')}`, randomBytes(700_000));
    const { result } = await exported(app, tenant.caller.tenantId);
    const [first = '', second = ''] = await objectsOf(app, result.manifest);
    const { body } = (await app.blobs.get(first)) as { body: Buffer };
    body[100] = (body[100] as number) ^ 1;
    await app.blobs.put({ key: first, body });
    await app.blobs.delete([second]);
    for (let i = 0; i < 12; i++)
      await app.cache.delete(tenant.caller, { namespace: 'ns', key: `k${String(i).padStart(2, '0')}` });
    const report = await warmed(app, tenant.caller.tenantId, result.manifest);
    const { counts, items } = report as { counts: Record<string, number>; items: { detail: string; line: number }[] };
    expect((counts.stored ?? 0) + (counts.invalid ?? 0)).toBe(12);
    expect(counts.stored).toBeGreaterThan(0);
    expect(items[0]).toMatchObject({ line: 1, status: 'invalid', detail: expect.stringContaining('frame 1') });
    expect(items.at(-1)?.detail).toContain('frame 2');
    expect(await auditTenant(app, tenant.tenant.id)).toBe(counts.stored);
  }, 60_000);

  it('of one that is none, or gone: says so at once', async () => {
    const app = await ownApp('tcp');
    const { caller } = await newTenant(app);
    const folder = `${exportPrefix(caller.tenantId)}job-${newUlid(1)}/`;
    const ask = (key: string) =>
      app.warming.warm(WarmCacheRequest.parse({ tenant_id: caller.tenantId, export: key }), { dryRun: false });
    await expect(ask(`${folder}manifest.json`)).rejects.toMatchObject({ code: 'export_not_found' });
    await expect(ask('keys/check')).rejects.toMatchObject({ code: 'export_not_found' });
    await expect(ask(`${folder}../manifest.json`)).rejects.toMatchObject({ code: 'export_not_found' });
    await app.blobs.put({ key: `${folder}manifest.json`, body: Buffer.from('{"version":1}') });
    await expect(ask(`${folder}manifest.json`)).rejects.toMatchObject({ code: 'invalid_request' });
  });
});

it('an entry comes out of an export byte for byte as it went in [C11]', async () => {
  const app = await ownApp('tcp');
  await fc.assert(
    fc.asyncProperty(fc.array(anExportEntry, { minLength: 1, maxLength: 10 }), async (entries) => {
      const tenant = await newTenant(app);
      const unique = [...new Map(entries.map((entry) => [entry.name.key, entry])).values()];
      for (const { name, value, meta } of unique)
        await app.cache.set(tenant.caller, { namespace: 'ns', key: name.key }, { value, meta, ttlMs: null });
      const { result } = await exported(app, tenant.caller.tenantId);
      expect(result.entries).toBe(unique.length);
      for (const { name } of unique) await app.cache.delete(tenant.caller, { namespace: 'ns', key: name.key });
      await warmed(app, tenant.caller.tenantId, result.manifest);
      for (const { name, value, meta } of unique) {
        const found = await app.cache.get(tenant.caller, { namespace: 'ns', key: name.key });
        expect((found as { value: Buffer }).value.equals(value)).toBe(true);
        const { tags = [], ...rest } = meta;
        expect(found).toMatchObject({ meta: { ...rest, ...(tags.length === 0 ? {} : { tags }) } });
      }
    }),
    { numRuns: 25 },
  );
}, 60_000);

it('old exports go with the cleaning, and new ones stay [C11]', async () => {
  const app = await ownApp('tcp');
  const tenant = await newTenant(app);
  await put(app, tenant, 'a', 'v');
  const { result } = await exported(app, tenant.caller.tenantId);
  const keys = keysOf(app);
  /** As it would be so much later. Only this tenant's objects are there for it. */
  const removeAt = async (laterMs: number) => {
    await app.redis.send(['DEL', keys.exportsLooked()], { kind: 'write' });
    const blobs = {
      ...app.blobs,
      list: (page: { cursor?: string | undefined }) =>
        app.blobs.list({ ...page, prefix: exportPrefix(tenant.caller.tenantId) }),
    };
    return createOldExports({ redis: app.redis, keys, blobs, now: () => Date.now() + laterMs }).run();
  };
  expect(await removeAt(6 * 86_400_000)).toEqual({ oldExportObjects: 0 });
  expect(await app.blobs.head(result.manifest)).not.toBeNull();
  expect(await removeAt(8 * 86_400_000)).toEqual({ oldExportObjects: 2 });
  expect(await app.blobs.head(result.manifest)).toBeNull();
});
