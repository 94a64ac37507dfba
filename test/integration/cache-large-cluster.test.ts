/** Large values on a Redis Cluster: every script's keys are of one slot. */
import { randomBytes } from 'node:crypto';
import { beforeAll, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { newTenant } from '../support/app.ts';
import { auditTenant } from '../support/audit-tenant.ts';
import { blobsOf, letDoomedFallDue } from '../support/cache-blobs.ts';
import { useClusterApp } from '../support/cluster-app.ts';
import { keysOf } from '../support/tenant-state.ts';

const name = { namespace: 'ns', key: 'large' };
const entry = { meta: { content_type: 'application/octet-stream' }, ttlMs: null };

const clusterApp = useClusterApp();
let app: App;
beforeAll(() => {
  app = clusterApp();
});

it.each([false, true])(
  'are stored, replaced, uploaded, linked to and collected, encryption %s [C6]',
  async (encryption) => {
    const { tenant, caller } = await newTenant(app, { encryption });
    for (let i = 0; i < 2; i++) await app.cache.set(caller, name, { ...entry, value: randomBytes(300_000) });
    const value = randomBytes(300_000);
    const { url, headers, uploadId } = await app.cache.beginUpload(caller, name, value.length);
    await fetch(url, { method: 'PUT', headers, body: new Uint8Array(value) });
    await app.cache.commitUpload(caller, name, uploadId, entry);
    expect(await app.cache.get(caller, name)).toMatchObject({ value });
    expect(await app.cache.getOrLink(caller, name, { maxBytes: 1 })).toMatchObject({
      link: { url: expect.any(String) },
    });
    expect(await auditTenant(app, tenant.id)).toBe(1);
    await letDoomedFallDue(app, keysOf(app), tenant.id);
    await app.cleanUp.run();
    expect(await blobsOf(app, tenant.id)).toHaveLength(1);
  },
);
