/** Loading entries for an administrator: by the tenant's own rules, without its key. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { WarmCacheRequest, WarmCacheResponse } from '../../lib/cache/warming/warm-contract.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { auditTenant } from '../support/audit-tenant.ts';
import { gateState } from '../support/gate-state.ts';

const KIB = 1024;

async function warm(app: App, { tenantId }: Caller, body: object, dryRun = false): Promise<WarmCacheResponse> {
  const warmed = await app.warming.warm(WarmCacheRequest.parse({ tenant_id: tenantId, ...body }), { dryRun });
  if ('job' in warmed) throw new Error('It became a job');
  return WarmCacheResponse.strict().parse(warmed.report);
}

const entry = (key: string, more: object = {}) => ({ namespace: 'ns', key, value: `value of ${key}`, ...more });
const statuses = ({ items }: WarmCacheResponse) => items.map(({ status }) => status);

describe.each(TRANSPORTS)('warming from entries over %s [C11 A8]', (transport) => {
  it('stores them as the tenant would, and meters no operation', async () => {
    const app = await testApp({ transport });
    const { tenant, caller } = await newTenant(app);
    const before = await gateState(app, tenant.id).meter();
    const entries = Array.from({ length: 250 }, (_, i) => entry(`k${i}`, { tags: ['t'], ttl_seconds: 60 }));
    const report = await warm(app, caller, { entries });
    expect(report).toMatchObject({ dry_run: false, counts: { stored: 250 } });
    expect(report.items[249]).toEqual({ status: 'stored', namespace: 'ns', key: 'k249' });
    const after = await gateState(app, tenant.id).meter();
    expect(after).toMatchObject({ ops: before.ops, bytesIn: before.bytesIn, entries: 250n });
    expect(await auditTenant(app, tenant.id)).toBe(250);
    const found = await app.cache.get(caller, { namespace: 'ns', key: 'k7' });
    expect(found).toMatchObject({ value: Buffer.from('value of k7'), meta: { tags: ['t'] } });
  });

  it('keeps what is there, unless it is told to overwrite', async () => {
    const app = await testApp({ transport });
    const { tenant, caller } = await newTenant(app);
    const name = { namespace: 'ns', key: 'a' };
    await app.cache.set(caller, name, { value: Buffer.from('newer'), meta: { content_type: 'text/plain' } });
    const entries = [entry('a'), entry('b')];
    expect(statuses(await warm(app, caller, { entries }))).toEqual(['skipped_exists', 'stored']);
    expect(await app.cache.get(caller, name)).toMatchObject({ value: Buffer.from('newer') });
    expect(statuses(await warm(app, caller, { entries, overwrite: true }))).toEqual(['stored', 'stored']);
    expect(await app.cache.get(caller, name)).toMatchObject({ value: Buffer.from('value of a') });
    expect(await auditTenant(app, tenant.id)).toBe(2);
  });

  it('tells for each what is wrong with it, and stores the others', async () => {
    const app = await testApp({ transport });
    const { tenant, caller } = await newTenant(app, {
      quotas: { operations_per_minute: 1_000, memory_bytes: 40 * KIB },
    });
    const entries = [
      entry('a'),
      entry('', {}),
      entry('b', { value_base64: 'AA==' }),
      { namespace: 'ns', key: 'c', value_base64: '??' },
      entry('a'),
      entry('d', { tags: ['has space'] }),
      entry('full', { value_base64: randomBase64(60 * KIB) }),
      entry('last', { value: 'x' }),
      entry('untrue', { value: '{', content_type: 'application/json' }),
      entry('true', { value: '{}', content_type: 'application/ld+json; charset=utf-8' }),
    ];
    delete (entries[6] as { value?: string }).value;
    const report = await warm(app, caller, { entries });
    expect(statuses(report)).toEqual([
      'stored',
      'invalid',
      'invalid',
      'invalid',
      'duplicate',
      'invalid',
      'memory_full',
      'stored',
      'invalid',
      'stored',
    ]);
    expect(report.counts).toEqual({ duplicate: 1, invalid: 5, memory_full: 1, stored: 3 });
    expect(report.items[1]?.detail).toContain('key');
    expect(report.items[8]?.detail).toContain('JSON');
    expect(await auditTenant(app, tenant.id)).toBe(3);
  });

  it('of a dry run tells the same, and stores nothing', async () => {
    const app = await testApp({ transport });
    const { tenant, caller } = await newTenant(app);
    await warm(app, caller, { entries: [entry('a')] });
    const report = await warm(app, caller, { entries: [entry('a'), entry('b'), entry('')] }, true);
    expect(report).toMatchObject({ dry_run: true, counts: { skipped_exists: 1, stored: 1, invalid: 1 } });
    expect(await auditTenant(app, tenant.id)).toBe(1);
  });

  it('keeps values too large for Redis in S3, as the tenant would', async () => {
    const app = await testApp({ transport });
    const { tenant, caller } = await newTenant(app);
    const value_base64 = randomBase64(600 * KIB);
    const given = { namespace: 'ns', key: 'large', value_base64 };
    expect(statuses(await warm(app, caller, { entries: [given] }))).toEqual(['stored']);
    const found = await app.cache.get(caller, { namespace: 'ns', key: 'large' });
    expect((found as { value: Buffer }).value.toString('base64')).toBe(value_base64);
    expect(await auditTenant(app, tenant.id)).toBe(1);
  });

  it('frees what has expired before it says that memory is full', async () => {
    const app = await testApp({ transport });
    const { tenant, caller } = await newTenant(app, {
      quotas: { operations_per_minute: 1_000, memory_bytes: 100 * KIB },
    });
    const given = (key: string) => ({ namespace: 'ns', key, value_base64: randomBase64(45 * KIB) });
    expect(statuses(await warm(app, caller, { entries: [given('a')], ttl_seconds: 1 }))).toEqual(['stored']);
    await expect
      .poll(() => warm(app, caller, { entries: [given('b')] }).then(statuses), { timeout: 5_000 })
      .not.toEqual(['memory_full']);
    expect(await auditTenant(app, tenant.id)).toBe(1);
  });

  it('of an encrypting tenant seals them: no value is readable in Redis', async () => {
    const app = await testApp({ transport });
    const { tenant, caller } = await newTenant(app, { encryption: true });
    await warm(app, caller, { entries: [entry('secret', { value: 'PLAIN-TEXT-MARK'.repeat(10) })] });
    const index = (await gateState(app, tenant.id).meter()).entries;
    expect(index).toBe(1n);
    const found = await app.cache.get(caller, { namespace: 'ns', key: 'secret' });
    expect((found as { value: Buffer }).value.toString()).toContain('PLAIN-TEXT-MARK');
  });
});

/** Nothing packs it. */
const randomBase64 = (bytes: number) => randomBytes(bytes).toString('base64');
