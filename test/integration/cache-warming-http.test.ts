/** Warming, exporting and statistics as an administrator asks for them: over HTTP. */
import { beforeAll, describe, expect, it } from 'vitest';
import { CacheStatsResponse } from '../../lib/cache/stats/stats-contract.ts';
import { WarmCacheResponse } from '../../lib/cache/warming/warm-contract.ts';
import { newTenantId, newUlid } from '../../lib/ids.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { ADMIN_KEY, newTenant } from '../support/app.ts';
import { type Door, type DoorReply, openDoor } from '../support/door.ts';
import { expectProblem } from '../support/problem.ts';
import { auditedActions } from '../support/tenant-state.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
  telemetry.logger.setLogLevel('SILENT');
});

const admin = (target: string, body?: object, headers: Record<string, string> = {}) =>
  body === undefined
    ? door.call({ target, key: ADMIN_KEY, headers })
    : door.call({
        target,
        method: 'POST',
        key: ADMIN_KEY,
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      });
const jsonOf = (reply: DoorReply) => JSON.parse(reply.body.toString());
const entry = (key: string) => ({ namespace: 'ns', key, value: 'v' });

describe('POST /admin/cache/warm [A8 C11]', () => {
  it('answers with what became of each, once for an Idempotency-Key, and is logged', async () => {
    const { tenant } = await newTenant(door.app);
    const body = { tenant_id: tenant.id, entries: [entry('a'), entry('')] };
    const key = { 'idempotency-key': newUlid(Date.now()) };
    const [first, again] = [await admin('/admin/cache/warm', body, key), await admin('/admin/cache/warm', body, key)];
    expect(first.status).toBe(200);
    expect(WarmCacheResponse.strict().parse(jsonOf(first))).toMatchObject({ counts: { invalid: 1, stored: 1 } });
    expect(jsonOf(again)).toEqual(jsonOf(first));
    expect((await auditedActions(door.app, tenant.id)).filter((action) => action === 'cache.warm')).toHaveLength(1);
    const dry = await admin('/admin/cache/warm?dry_run=true', { tenant_id: tenant.id, entries: [entry('b')] });
    expect(jsonOf(dry)).toMatchObject({ dry_run: true, counts: { stored: 1 } });
    expect((await admin(`/admin/cache/stats?tenant_id=${tenant.id}`)).body.toString()).toContain('"total_keys":1');
  });

  it('refuses what names no source or several, too many entries, and tenants that are not there', async () => {
    const { tenant } = await newTenant(door.app);
    const warm = (body: object) => admin('/admin/cache/warm', { tenant_id: tenant.id, ...body });
    expectProblem(await warm({}), '400 invalid_request');
    expectProblem(await warm({ entries: [entry('a')], export: 'x' }), '400 invalid_request');
    expectProblem(await warm({ entries: Array(1_001).fill(entry('a')) }), '400 invalid_request');
    expectProblem(await warm({ export: 'keys/check' }), '404 export_not_found');
    const nobody = newTenantId(newUlid(1));
    expectProblem(await warm({ tenant_id: nobody, entries: [entry('a')] }), '404 tenant_not_found');
  });

  it('of a deleted tenant stores nothing', async () => {
    const { tenant } = await newTenant(door.app);
    await door.app.tenantAdmin.remove(tenant.id, { undoMs: null });
    const reply = await admin('/admin/cache/warm', { tenant_id: tenant.id, entries: [entry('a')] });
    expectProblem(reply, '409 deletion_pending');
  });
});

describe('POST /admin/cache/export [A8 C11 K4]', () => {
  it('answers with a job, whose export can be loaded', async () => {
    const { tenant, caller } = await newTenant(door.app);
    await door.app.cache.set(
      caller,
      { namespace: 'ns', key: 'a' },
      { value: Buffer.from('v'), meta: { content_type: 'text/plain' } },
    );
    const reply = await admin('/admin/cache/export', { tenant_id: tenant.id, namespace: 'ns' });
    expect(reply.status).toBe(202);
    const { job_id } = jsonOf(reply);
    expect(reply.headers.location).toBe(`/admin/jobs/${job_id}`);
    await door.app.jobs.run();
    const job = jsonOf(await admin(`/admin/jobs/${job_id}`));
    expect(job).toMatchObject({ status: 'done', result: { entries: 1 } });
    const loaded = await admin('/admin/cache/warm', { tenant_id: tenant.id, export: job.result.manifest });
    expect(jsonOf(loaded)).toMatchObject({ counts: { skipped_exists: 1 } });
  });
});

describe('GET /admin/cache/stats [A10 C12]', () => {
  it('of a tenant, with a series; and of all, as the cleaning summed them up', async () => {
    const { tenant } = await newTenant(door.app);
    const reply = await admin(`/admin/cache/stats?tenant_id=${tenant.id}&interval=minute`);
    const stats = CacheStatsResponse.strict().parse(jsonOf(reply));
    expect(stats.series?.items.length).toBeGreaterThanOrEqual(60);
    await door.app.cacheStatsSum.run();
    expect(CacheStatsResponse.strict().parse(jsonOf(await admin('/admin/cache/stats')))).toMatchObject({
      tenant_id: null,
    });
    expectProblem(await admin('/admin/cache/stats?interval=minute'), '400 invalid_request');
    expectProblem(await admin(`/admin/cache/stats?tenant_id=${newTenantId(newUlid(1))}`), '404 tenant_not_found');
  });
});

describe('what packing saved [C5 C12]', () => {
  it('is told with each read of an entry', async () => {
    const { key, caller } = await newTenant(door.app);
    const value = Buffer.from('compressible '.repeat(1_000));
    await door.app.cache.set(caller, { namespace: 'ns', key: 'a' }, { value, meta: { content_type: 'text/plain' } });
    for (const method of ['GET', 'HEAD']) {
      const { headers } = await door.call({ target: '/cache/ns/a', method, key });
      expect(headers).toMatchObject({ 'riptide-compression': 'lz4', 'riptide-size-bytes': String(value.length) });
      expect(Number(headers['riptide-memory-bytes'])).toBeLessThan(1_000);
    }
  });
});
