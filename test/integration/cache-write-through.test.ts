/** Writing the source and the cache as one: what is read afterwards is never what was there before. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { auditTenant } from '../support/audit-tenant.ts';

const name = { namespace: 'orders', key: '42' };
const entry = (value: string) => ({ value: Buffer.from(value), meta: { content_type: 'text/plain' }, ttlMs: 60_000 });
const text = (found: unknown) => String((found as { value: Buffer } | null)?.value ?? 'none');

describe.each(TRANSPORTS)('write-through over %s [C7]', (transport) => {
  let app: App;
  beforeAll(async () => {
    app = await testApp({ transport });
  });

  it('writes the source, then the cache', async () => {
    const { caller, tenant } = await newTenant(app);
    let source = 'old';
    await app.cache.set(caller, name, entry('old'));
    const outcome = await app.cache.writeThrough(caller, name, entry('new'), async () => {
      expect(await app.cache.get(caller, name)).toBeNull();
      source = 'new';
    });
    expect(outcome).toMatchObject({ created: true, rawBytes: 3 });
    expect([source, text(await app.cache.get(caller, name))]).toEqual(['new', 'new']);
    expect(await auditTenant(app, tenant.id)).toBe(1);
  });

  it('leaves no entry when the source cannot be written, and tells why', async () => {
    const { caller } = await newTenant(app);
    await app.cache.set(caller, name, entry('old'));
    const refused = new Error('the database is read-only');
    const writing = app.cache.writeThrough(caller, name, entry('new'), () => Promise.reject(refused));
    await expect(writing).rejects.toBe(refused);
    expect(await app.cache.get(caller, name)).toBeNull();
  });

  it('is not overwritten by a load that began before it ended', async () => {
    const { caller } = await newTenant(app);
    let source = 'old';
    let loading: Promise<unknown> | undefined;
    let storeLoaded: (value: string) => void = () => undefined;
    await app.cache.writeThrough(caller, name, entry('new'), async () => {
      const { lease } = await app.cache.getOrLease(caller, name, { leaseMs: 30_000, earlyShare: 0 });
      if (lease.state !== 'granted') throw new Error('no lease');
      const loaded = new Promise<string>((resolve) => {
        storeLoaded = resolve;
      });
      loading = loaded.then((value) => app.cache.set(caller, name, { ...entry(value), lease: lease.token }));
      source = 'new';
    });
    storeLoaded('old');
    await expect(loading).rejects.toMatchObject({ code: 'lease_lost' });
    expect([source, text(await app.cache.get(caller, name))]).toEqual(['new', 'new']);
  });
});
