/** Large values on a Redis Cluster: every script's keys are of one slot. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningCluster, startCluster } from '../../infra/local/redis/start-cluster.ts';
import type { App } from '../../lib/app.ts';
import { newTenant, testApp } from '../support/app.ts';
import { auditTenant } from '../support/audit-tenant.ts';
import { blobsOf, letDoomedFallDue } from '../support/cache-blobs.ts';
import { keysOf } from '../support/tenant-state.ts';

const name = { namespace: 'ns', key: 'large' };
const entry = { meta: { content_type: 'application/octet-stream' }, ttlMs: null };

let dir: string;
let cluster: RunningCluster;
let app: App;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'riptide-large-'));
  cluster = await startCluster({ dir });
  app = await testApp({ env: { REDIS_URL: cluster.url, PERSISTENCE_REDIS_CLUSTER_MODE: 'true' } });
});
afterAll(async () => {
  await cluster.stop();
  await rm(dir, { recursive: true, force: true });
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
