/** Objects of sessions in S3: written, read, lost, changed, and collected when nothing uses them. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { BlobUnavailableError, CorruptValueError, SessionLostError } from '../../lib/errors.ts';
import { newUlid, type TenantId } from '../../lib/ids.ts';
import { cacheBlob, sessionBlob, sessionBlobPrefix } from '../../lib/keys.ts';
import { createSessionBlobs } from '../../lib/sessions/spillover/session-blobs.ts';
import { decodeSessionObject } from '../../lib/sessions/spillover/session-object.ts';
import { newTenant, testApp } from '../support/app.ts';
import { failureOf, newBlobStore } from '../support/blob-session.ts';
import { doomedOf } from '../support/cache-blobs.ts';
import { newSession, sessionObject } from '../support/session-objects.ts';
import { keysOf } from '../support/tenant-state.ts';

const FIELDS = new Map([
  ['m', '{"source":"web"}'],
  ['d:cart', `{"n":9007199254740993,"text":"${'x'.repeat(5_000)}"}`],
]);

let app: App;
beforeAll(async () => {
  app = await testApp();
});

/** An object of a new session, not yet written. */
async function madeObject(tenantId: TenantId) {
  const session = newSession({ tenantId });
  const { encoded, expected } = await sessionObject(session, FIELDS);
  const ref = { objectUlid: newUlid(Date.now()), ...expected };
  return { encoded, expected, ref, key: sessionBlob(tenantId, ref.objectUlid, ref.sessionUlid) };
}

const sessionBlobs = () => createSessionBlobs({ blobs: app.blobs, storageClass: 'STANDARD_IA' });

describe('the object of a session [P3 P4 P5 P6]', () => {
  it('comes back as it was, from the class it was put into, and says what it is', async () => {
    const { tenant } = await newTenant(app);
    const { encoded, expected, ref, key } = await madeObject(tenant.id);
    await sessionBlobs().put(tenant.id, ref.objectUlid, encoded);
    expect(await app.blobs.head(key)).toMatchObject({
      sizeBytes: encoded.bytes.length,
      storageClass: 'STANDARD_IA',
      metadata: { 'riptide-sha256': encoded.sha256, 'riptide-raw-bytes': String(encoded.rawBytes) },
    });
    const bytes = await sessionBlobs().read(tenant.id, ref);
    expect(await decodeSessionObject(bytes, expected)).toEqual(FIELDS);
  });

  it('is lost when it is gone, and never taken from another tenant', async () => {
    const { tenant } = await newTenant(app);
    const { encoded, ref } = await madeObject(tenant.id);
    const blobs = sessionBlobs();
    expect(await failureOf(blobs.read(tenant.id, ref))).toBeInstanceOf(SessionLostError);
    await blobs.put(tenant.id, ref.objectUlid, encoded);
    const other = await newTenant(app);
    expect(await failureOf(blobs.read(other.tenant.id, ref))).toMatchObject({ code: 'session_lost', status: 410 });
    await blobs.delete(tenant.id, [ref, { ...ref, objectUlid: newUlid(0) }]);
    expect(await failureOf(blobs.read(tenant.id, ref))).toBeInstanceOf(SessionLostError);
  });

  it('is refused when it was changed: longer, shorter, empty, or a bit of it', async () => {
    const { tenant } = await newTenant(app);
    const { encoded, ref, key } = await madeObject(tenant.id);
    const flipped = Buffer.from(encoded.bytes);
    flipped[40] = (flipped[40] ?? 0) ^ 1;
    const changes = [Buffer.concat([encoded.bytes, Buffer.of(0)]), encoded.bytes.subarray(1), Buffer.alloc(0), flipped];
    for (const body of changes) {
      await app.blobs.put({ key, body });
      expect(await failureOf(sessionBlobs().read(tenant.id, ref))).toBeInstanceOf(CorruptValueError);
    }
  });

  it('is not said to be lost while S3 cannot be asked', async () => {
    const { tenant } = await newTenant(app);
    const { ref } = await madeObject(tenant.id);
    const away = newBlobStore({ endpoint: 'http://127.0.0.1:1', requestTimeoutMs: 500 });
    const blobs = createSessionBlobs({ blobs: away, storageClass: 'STANDARD' });
    expect(await failureOf(blobs.read(tenant.id, ref))).toBeInstanceOf(BlobUnavailableError);
  });
});

describe('objects that nothing uses [P6]', () => {
  const doom = async (id: TenantId, at: number, name: string) => {
    const member = `d\0${String(at).padStart(14, '0')}\0${name}`;
    await app.redis.send(['ZADD', keysOf(app).index(id, 1), 0, member], { kind: 'write' });
  };
  const left = async (id: TenantId) =>
    (await app.blobs.list({ prefix: sessionBlobPrefix(id) })).items.map(({ key }) => key);

  it('are deleted when they are due: those of sessions, those of the cache, and no other', async () => {
    const { tenant } = await newTenant(app);
    const { id } = tenant;
    const [due, later, used] = [await madeObject(id), await madeObject(id), await madeObject(id)];
    for (const { encoded, ref } of [due, later, used]) await sessionBlobs().put(id, ref.objectUlid, encoded);
    const cached = newUlid(Date.now());
    await app.blobs.put({ key: cacheBlob(id, cached), body: Buffer.of(1) });
    // Of the same ULID as a session's object that stays: names of the two kinds are apart.
    await app.blobs.put({ key: cacheBlob(id, used.ref.objectUlid), body: Buffer.of(1) });
    await doom(id, 1, `${due.ref.objectUlid}.${due.ref.sessionUlid}`);
    await doom(id, Date.now() + 600_000, `${later.ref.objectUlid}.${later.ref.sessionUlid}`);
    await doom(id, 1, cached);
    await doom(id, 1, used.ref.objectUlid);
    await app.cleanUp.run();
    expect(await left(id)).toEqual([later.key, used.key].sort());
    expect((await app.blobs.list({ prefix: cacheBlob(id, '') })).items).toEqual([]);
    expect((await doomedOf(app, id)).map(([name]) => name)).toEqual([
      `${later.ref.objectUlid}.${later.ref.sessionUlid}`,
    ]);
  });

  it('are told again when the run ended between deleting and forgetting them', async () => {
    const { tenant } = await newTenant(app);
    const { id } = tenant;
    const { encoded, ref } = await madeObject(id);
    const name = `${ref.objectUlid}.${ref.sessionUlid}`;
    await sessionBlobs().put(id, ref.objectUlid, encoded);
    await doom(id, 1, name);
    await sessionBlobs().delete(id, [ref]);
    expect((await doomedOf(app, id)).map(([doomed]) => doomed)).toEqual([name]);
    await app.cleanUp.run();
    expect(await doomedOf(app, id)).toEqual([]);
    expect(await left(id)).toEqual([]);
  });
});
