/** Values too large for Redis: in S3, behind a stub. */
import { createHash, randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { auditTenant } from '../support/audit-tenant.ts';
import { blobsOf, storedBlob } from '../support/cache-blobs.ts';

const name = { namespace: 'ns', key: 'large' };
const plain = { content_type: 'application/octet-stream', tags: ['a', 'b'], attributes: { x: '"}' } };
const set = (app: App, caller: Caller, value: Buffer, more: object = {}) =>
  app.cache.set(caller, name, { value, meta: plain, ...more });
const MIB = 1024 * 1024;

beforeAll(() => telemetry.logger.setLogLevel('SILENT'));

describe.each(TRANSPORTS)('values in S3, over %s [C6]', (transport) => {
  let app: App;
  beforeAll(async () => {
    app = await testApp({ transport });
  });

  it('a value that does not shrink is one object, and comes back byte for byte', async () => {
    const { tenant, caller } = await newTenant(app);
    const value = randomBytes(3 * MIB);
    const { etag, created, storedBytes } = await set(app, caller, value);
    expect({ created, storedBytes }).toEqual({ created: true, storedBytes: value.length });
    const found = await app.cache.get(caller, name);
    expect(found).toMatchObject({ meta: plain, etag, rawBytes: value.length });
    expect(found !== null && 'value' in found && found.value.equals(value)).toBe(true);
    expect(await app.cache.head(caller, name)).toMatchObject({ meta: plain, etag });
    expect(await app.cache.get(caller, name, { ifNoneMatch: [etag] })).toMatchObject({ unchanged: true });
    expect(await blobsOf(app, tenant.id)).toMatchObject([{ sizeBytes: value.length }]);
    expect(await auditTenant(app, tenant.id)).toBe(1);
  });

  it('a value of an encrypting tenant is sealed, and bound to its entry', async () => {
    const { tenant, caller } = await newTenant(app, { encryption: true });
    const value = Buffer.alloc(2 * MIB, 'secret ').fill(randomBytes(MIB), MIB);
    await set(app, caller, value);
    const object = await storedBlob(app, tenant.id);
    expect(object.includes('secret')).toBe(false);
    expect(await app.cache.get(caller, name)).toMatchObject({ value });
    expect(await auditTenant(app, tenant.id)).toBe(1);
  });

  it('what it replaces, deletes and lets expire is deleted from S3, and no byte is counted any more', async () => {
    const { tenant, caller } = await newTenant(app);
    const objects: string[] = [];
    for (const more of [{}, { ttlMs: 60_000 }, { value: Buffer.from('small') }, { ttlMs: 1 }, {}, { ttlMs: 1 }]) {
      await set(app, caller, randomBytes(300_000), more);
      objects.push(...(await blobsOf(app, tenant.id)).map(({ key }) => key));
      expect(await auditTenant(app, tenant.id)).toBe(1);
    }
    expect(new Set(objects).size).toBe(5);
    await app.cache.delete(caller, name);
    expect(await auditTenant(app, tenant.id)).toBe(0);
  });
});

describe('an object of a large value [C6]', () => {
  let app: App;
  beforeAll(async () => {
    app = await testApp();
  });

  it.each(['lz4', 'zstd'] as const)('that %s packs is a frame its own tool opens', async (algorithm) => {
    const packing = await testApp({ env: { PERSISTENCE_CACHE_COMPRESSION_ALGORITHM: algorithm } });
    const { tenant, caller } = await newTenant(packing);
    const value = Buffer.concat(Array.from({ length: 9_000 }, () => Buffer.alloc(128, randomBytes(64))));
    await set(packing, caller, value);
    const object = await storedBlob(packing, tenant.id);
    expect(object.subarray(0, 4).toString('hex')).toBe({ lz4: '04224d18', zstd: '28b52ffd' }[algorithm]);
    expect(object.length).toBeLessThan(value.length * 0.7);
    expect(await packing.cache.get(caller, name)).toMatchObject({ value });
  });

  it('says in its metadata what it is', async () => {
    const { tenant, caller } = await newTenant(app);
    const value = randomBytes(300_000);
    await set(app, caller, value);
    const [object] = await blobsOf(app, tenant.id);
    expect((await app.blobs.head(object?.key ?? ''))?.metadata).toEqual({
      'riptide-sha256': createHash('sha256').update(value).digest('base64url'),
      'riptide-codec': 'raw',
      'riptide-raw-bytes': '300000',
    });
  });
});
