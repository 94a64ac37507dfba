/** Values too large for a request or a reply: by URLs of S3. */
import { createHash, randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { createClient } from '../../lib/client/client.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { newTenant } from '../support/app.ts';
import { auditTenant } from '../support/audit-tenant.ts';
import { blobsOf, doomedOf, letDoomedFallDue, storedBlob } from '../support/cache-blobs.ts';
import { type Door, openDoor } from '../support/door.ts';
import { keysOf } from '../support/tenant-state.ts';

const MIB = 1024 * 1024;
const TARGET = '/cache/ns/big/file';
const name = { namespace: 'ns', key: 'big/file' };

interface Begun {
  readonly upload_id: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly commit: string;
}

let door: Door;
beforeAll(async () => {
  door = await openDoor();
  telemetry.logger.setLogLevel('SILENT');
});

const json = (body: Buffer) => JSON.parse(body.toString()) as Record<string, unknown>;

async function begin(key: string, bytes: number, target = TARGET): Promise<Begun> {
  const reply = await door.call({ method: 'PUT', target: `${target}?upload_bytes=${bytes}`, key });
  expect(reply.status).toBe(202);
  return json(reply.body) as unknown as Begun;
}

const send = async ({ url, headers }: Begun, body: Buffer) =>
  (await fetch(url, { method: 'PUT', headers, body: new Uint8Array(body) })).status;

const commit = (key: string, { commit: target }: Begun, headers: Readonly<Record<string, string>> = {}) =>
  door.call({ method: 'PUT', target, key, headers });

describe.each([false, true])('a value of 9 MiB, encryption %s [C6]', (encryption) => {
  it('is uploaded, committed, and read by the URL of the redirect', async () => {
    const { tenant, key } = await newTenant(door.app, { encryption });
    const value = randomBytes(9 * MIB);
    const begun = await begin(key, value.length);
    expect(await send(begun, value)).toBe(200);
    const stored = await commit(key, begun, { 'content-type': 'video/x-test', 'riptide-tags': 'a' });
    expect(stored.status).toBe(201);
    expect(json(stored.body)).toMatchObject({ created: true, size_bytes: value.length });

    const reply = await door.call({ target: TARGET, key });
    const sha256 = createHash('sha256').update(value).digest('base64url');
    expect(reply).toMatchObject({ status: 303, headers: { etag: stored.headers.etag, 'riptide-tags': 'a' } });
    expect(json(reply.body)).toMatchObject({ url: reply.headers.location, size_bytes: value.length, sha256 });
    const answer = await fetch(reply.headers.location ?? '');
    expect(answer.headers.get('content-type')).toBe('video/x-test');
    expect(Buffer.from(await answer.arrayBuffer()).equals(value)).toBe(true);

    expect((await door.call({ method: 'HEAD', target: TARGET, key })).headers['content-length']).toBe(
      `${value.length}`,
    );
    expect(await auditTenant(door.app, tenant.id)).toBe(1);
    await letDoomedFallDue(door.app, keysOf(door.app), tenant.id);
    await door.app.cleanUp.run();
    const object = await storedBlob(door.app, tenant.id);
    expect(object.equals(value)).toBe(!encryption);
    expect(await doomedOf(door.app, tenant.id)).toEqual([]);
  });

  it('is committed once; again it answers as before, for another entry it is gone', async () => {
    const { tenant, key } = await newTenant(door.app, { encryption });
    const value = randomBytes(300_000);
    const begun = await begin(key, value.length);
    await send(begun, value);
    const [first, again] = [await commit(key, begun), await commit(key, begun)];
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.headers.etag).toBe(first.headers.etag);
    expect(json(again.body)).toMatchObject({ created: true, size_bytes: value.length });
    const other = await commit(key, { ...begun, commit: `/cache/ns/other?upload_id=${begun.upload_id}` });
    expect(json(other.body)).toMatchObject({ status: 410, code: 'upload_gone' });
    expect(await auditTenant(door.app, tenant.id)).toBe(1);
  });

  it('is not brought back by its old commit over what was written since, nor once it was removed', async () => {
    const { tenant, key } = await newTenant(door.app, { encryption });
    const begun = await begin(key, 2_000);
    await send(begun, randomBytes(2_000));
    expect((await commit(key, begun)).status).toBe(201);
    await door.call({ method: 'PUT', target: TARGET, key, body: 'newer' });
    expect(json((await commit(key, begun)).body)).toMatchObject({ status: 410, code: 'upload_gone' });
    expect((await door.call({ target: TARGET, key })).body.toString()).toBe('newer');
    await door.call({ method: 'DELETE', target: TARGET, key });
    expect(json((await commit(key, begun)).body)).toMatchObject({ status: 410, code: 'upload_gone' });
    expect((await door.call({ target: TARGET, key })).status).toBe(404);
    expect(await auditTenant(door.app, tenant.id)).toBe(0);
  });
});

describe('an upload [C6]', () => {
  it('of another length than announced is refused by S3, and cannot be committed', async () => {
    const { tenant, key } = await newTenant(door.app);
    const begun = await begin(key, 1_000);
    expect([await send(begun, randomBytes(999)), await send(begun, randomBytes(1_001))]).toEqual([403, 403]);
    expect(json((await commit(key, begun)).body)).toMatchObject({ code: 'upload_gone' });
    expect(await auditTenant(door.app, tenant.id)).toBe(0);
  });

  it('whose object is longer than its id says is a mismatch', async () => {
    const { tenant, key } = await newTenant(door.app);
    const begun = await begin(key, 1_000);
    await send(begun, randomBytes(1_000));
    const forged = begun.commit.replace('.1000.', '.999.');
    const reply = json((await commit(key, { ...begun, commit: forged })).body);
    expect(reply).toMatchObject({ status: 422, code: 'upload_mismatch' });
    expect(await auditTenant(door.app, tenant.id)).toBe(0);
  });

  it('of one tenant cannot be committed by another, whatever the id says', async () => {
    const [one, other] = [await newTenant(door.app), await newTenant(door.app)];
    const begun = await begin(one.key, 1_000);
    await send(begun, randomBytes(1_000));
    expect(json((await commit(other.key, begun)).body)).toMatchObject({ code: 'upload_gone' });
    const later = begun.commit.replace(/\d{13}$/, (until) => `${Number(until) + 1}`);
    expect(json((await commit(one.key, { ...begun, commit: later })).body)).toMatchObject({ code: 'upload_gone' });
    expect((await commit(one.key, begun)).status).toBe(201);
    expect(await auditTenant(door.app, other.tenant.id)).toBe(0);
  });

  it('that is never committed is deleted, and its id is gone', async () => {
    const { tenant, key } = await newTenant(door.app);
    const begun = await begin(key, 1_000);
    await send(begun, randomBytes(1_000));
    await door.app.cleanUp.run();
    expect(await blobsOf(door.app, tenant.id)).toHaveLength(1);
    await letDoomedFallDue(door.app, keysOf(door.app), tenant.id);
    await door.app.cleanUp.run();
    expect(await blobsOf(door.app, tenant.id)).toEqual([]);
    expect(json((await commit(key, begun)).body)).toMatchObject({ code: 'upload_gone' });
  });

  it('needs room in the storage and a size entries may have; a condition is held at the commit', async () => {
    const { tenant, key } = await newTenant(door.app, { quotas: { storage_bytes: 1_500 } });
    const asked = (bytes: number) => door.call({ method: 'PUT', target: `${TARGET}?upload_bytes=${bytes}`, key });
    expect(json((await asked(1_501)).body)).toMatchObject({ status: 507, code: 'storage_full' });
    expect(json((await asked(20 * MIB + 1)).body)).toMatchObject({ status: 413, code: 'body_too_large' });
    const [first, second] = [await begin(key, 1_000), await begin(key, 1_000)];
    await Promise.all([send(first, randomBytes(1_000)), send(second, randomBytes(1_000))]);
    expect((await commit(key, first)).status).toBe(201);
    expect((await commit(key, second, { 'if-none-match': '*' })).status).toBe(412);
    // It takes the place of the first: there is room.
    expect((await commit(key, second)).status).toBe(200);
    const third = `/cache/ns/third?upload_bytes=1000`;
    expect(json((await door.call({ method: 'PUT', target: third, key })).body)).toMatchObject({ code: 'storage_full' });
    expect(await auditTenant(door.app, tenant.id)).toBe(1);
  });

  it('takes no body, and no id that is none', async () => {
    const { key } = await newTenant(door.app);
    const tried = ['upload_bytes=5', 'upload_bytes=0', 'upload_bytes=1&upload_id=x', 'upload_id=x'].map((query) =>
      door.call({ method: 'PUT', target: `${TARGET}?${query}`, key, body: 'value' }),
    );
    for (const { status } of await Promise.all(tried)) expect(status).toBe(400);
  });

  it('needs a key that may write the entry, before anything is read', async () => {
    const { tenant } = await newTenant(door.app);
    const { key: reader } = await door.app.apiKeys.create(tenant.id, { scopes: ['cache:read'], expires_at: null });
    expect((await door.call({ method: 'PUT', target: `${TARGET}?upload_bytes=1`, key: reader })).status).toBe(403);
    const id = `${'0'.repeat(26)}.5.1795227660002`;
    expect((await door.call({ method: 'PUT', target: `${TARGET}?upload_id=${id}`, key: reader })).status).toBe(403);
  });
});

describe('a large value and the client [C6]', () => {
  it('is read by the URL in a header, and the key does not go there', async () => {
    const { key, caller } = await newTenant(door.app);
    const value = Buffer.alloc(5 * MIB, 'it shrinks, so it is put there as it was given. ');
    await door.app.cache.set(caller, name, { value, meta: { content_type: 'text/plain' }, ttlMs: 60_000 });
    const asked: (string | null)[] = [];
    const client = createClient({
      baseUrl: 'http://riptide.test',
      key,
      fetch: async (input, init) => {
        const url = new URL(String(input));
        asked.push(new Headers(init?.headers).get('authorization'));
        if (url.host !== 'riptide.test') return fetch(input, init);
        const reply = await door.call({ target: url.pathname + url.search, key });
        return new Response(new Uint8Array(reply.body), { status: reply.status, headers: reply.headers });
      },
    });
    const got = await client.getEntry({ params: name });
    expect(got).toMatchObject({ ok: true, status: 200, contentType: 'text/plain' });
    expect(got.ok && 'bytes' in got && Buffer.from(got.bytes).equals(value)).toBe(true);
    expect(asked).toEqual([`Bearer ${key}`, null]);
  });
});
