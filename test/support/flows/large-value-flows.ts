/** Flows of values in S3, and the calls each makes. */
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { App } from '../../../lib/app.ts';
import type { BegunUpload } from '../../../lib/cache/large/uploads.ts';
import type { Caller } from '../../../lib/gate/caller.ts';
import type { TenantId } from '../../../lib/ids.ts';
import { newTenant } from '../app.ts';
import { auditTenant } from '../audit-tenant.ts';
import { blobsOf, doomedOf, letDoomedFallDue } from '../cache-blobs.ts';
import { keysOf } from '../tenant-state.ts';
import type { Flow } from './flow.ts';

const name = { namespace: 'ns', key: 'large' };
const value = randomBytes(300_000);
const entry = { meta: { content_type: 'application/x-test', tags: ['t'] }, ttlMs: null };
const store = (app: App, caller: Caller) => app.cache.set(caller, name, { ...entry, value });

/** Fails unless the entry is there, whole, and S3 has its object and, once the rest fell due, nothing else. */
async function verifyStored(direct: App, id: TenantId, caller: Caller, objects = 1): Promise<void> {
  expect(await auditTenant(direct, id)).toBe(objects);
  if (objects > 0) expect(await direct.cache.get(caller, name)).toMatchObject({ value, meta: entry.meta });
  await letDoomedFallDue(direct, keysOf(direct), id);
  await direct.cleanUp.run();
  expect(await blobsOf(direct, id)).toHaveLength(objects);
  expect(await doomedOf(direct, id)).toEqual([]);
}

/** The instance has the tenant's data key from here on: how it is had, and not had, is tested elsewhere. */
async function learnKey(app: App, caller: Caller): Promise<void> {
  const other = { ...name, key: 'other' };
  await app.cache.set(caller, other, { ...entry, value: Buffer.of(1) });
  await app.cache.delete(caller, other);
}

function flow(
  title: string,
  calls: readonly string[],
  how: {
    readonly encryption?: boolean;
    readonly before?: (direct: App, caller: Caller) => Promise<unknown>;
    readonly run: (app: App, caller: Caller, before: unknown) => Promise<unknown>;
    readonly objects?: number;
    readonly result?: unknown;
  },
): Flow {
  return {
    name: title,
    calls,
    async prepare(app, direct) {
      const { tenant, caller } = await newTenant(direct, { encryption: how.encryption === true });
      const before = await how.before?.(direct, caller);
      if (how.encryption) await learnKey(app, caller);
      return {
        run: (signal) => how.run(app, { ...caller, signal }, before),
        async verify(result) {
          if ('result' in how) expect(result).toEqual(how.result);
          await verifyStored(direct, tenant.id, caller, how.objects);
        },
      };
    },
  };
}

async function uploaded(direct: App, caller: Caller): Promise<BegunUpload> {
  const begun = await direct.cache.beginUpload(caller, name, value.length);
  const { status } = await fetch(begun.url, { method: 'PUT', headers: begun.headers, body: new Uint8Array(value) });
  expect(status).toBe(200);
  return begun;
}

const commit = (app: App, caller: Caller, before: unknown) =>
  app.cache.commitUpload(caller, name, (before as BegunUpload).uploadId, entry);

/** A value an instance does not hold, above a limit of its own. */
const link = (app: App, caller: Caller) => app.cache.getOrLink(caller, name, { maxBytes: 1_000 });
const linked = expect.objectContaining({ link: expect.objectContaining({ url: expect.any(String) }) });

export const largeValueFlows: readonly Flow[] = [
  flow('set large value', ['set-cache-entry', 'begin-cache-object', 'blobs put', 'set-cache-entry'], { run: store }),
  flow('replace large value', ['set-cache-entry', 'begin-cache-object', 'blobs put', 'set-cache-entry'], {
    before: store,
    run: store,
  }),
  flow('get large value', ['get-cache-entry', 'get-cache-entry', 'blobs get'], {
    before: store,
    run: (app, caller) => app.cache.get({ ...caller }, name),
    result: expect.objectContaining({ value }),
  }),
  flow('delete large value', ['delete-cache-entry', 'delete-cache-entry'], {
    before: store,
    run: (app, caller) => app.cache.delete(caller, name),
    objects: 0,
  }),
  flow('link to large value', ['get-cache-entry', 'get-cache-entry', 'blobs head', 'blobs presignGet'], {
    before: store,
    run: link,
    result: linked,
  }),
  flow(
    'link to sealed large value',
    ['get-cache-entry', 'blobs get', 'register-object', 'blobs put', 'blobs presignGet'],
    { encryption: true, before: store, run: link, result: linked },
  ),
  flow('begin upload', ['begin-cache-object', 'begin-cache-object', 'blobs presignPut'], {
    run: (app, caller) => app.cache.beginUpload(caller, name, 5_000),
    objects: 0,
  }),
  flow('commit upload', ['verify-access', 'verify-access', 'blobs head', 'blobs get', 'set-cache-entry'], {
    before: uploaded,
    run: commit,
    result: expect.objectContaining({ created: true, rawBytes: value.length }),
  }),
  flow(
    'commit upload of who encrypts',
    [
      'verify-access',
      'ZSCORE',
      'blobs head',
      'blobs get',
      'begin-cache-object',
      'blobs put',
      'set-cache-entry',
      'register-object',
      'ZREM',
    ],
    { encryption: true, before: uploaded, run: commit, result: expect.objectContaining({ created: true }) },
  ),
  {
    name: 'delete objects that no entry uses',
    calls: ['ZRANGE', 'HMGET', 'ZRANGE', 'TIME', 'ZRANGE', 'blobs delete', 'ZREM'],
    async prepare(app, direct) {
      const { tenant, caller } = await newTenant(direct);
      await store(direct, caller);
      await store(direct, caller);
      await letDoomedFallDue(direct, keysOf(direct), tenant.id);
      return {
        run: (signal) => app.cleanUp.run(signal),
        verify: () => verifyStored(direct, tenant.id, caller),
      };
    },
  },
];
