import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, createClient } from '../../lib/client/client.ts';
import { uploadEntry } from '../../lib/client/upload-entry.ts';
import { type RunningService, startService } from '../support/start-service.ts';

let service: RunningService;
let admin: Client;

beforeAll(async () => {
  service = await startService();
  admin = createClient({ baseUrl: service.url, key: service.adminKey });
});
afterAll(async () => {
  await service.stop();
});

const owner = { id: 'owner-1', name: 'Ada', email: 'ada@acme.test' };

/** The outcome, which must be a reply. */
function accepted<R extends { readonly ok: boolean }>(outcome: R): Extract<R, { readonly ok: true }> {
  expect(outcome).toMatchObject({ ok: true });
  return outcome as Extract<R, { readonly ok: true }>;
}

/** A tenant of its own, and a client with its key. */
async function newTenant(quotas: { operations_per_minute?: number } = { operations_per_minute: 100_000 }) {
  const tenant = accepted(await admin.createTenant({ body: { name: 'Acme', owner, quotas } })).data;
  const key = accepted(await admin.createKey({ params: { id: tenant.id } })).data;
  return { tenant, key, client: createClient({ baseUrl: service.url, key: key.key }) };
}

describe('every endpoint answers the client, over HTTP [A14 A16]', () => {
  it('creates a tenant and a key, and reads the tenant back [A1 A3]', async () => {
    const { tenant, key } = await newTenant();
    expect(key.key).toContain(tenant.id);
    const read = accepted(await admin.getTenant({ params: { id: tenant.id } }));
    expect(read.data).toEqual(tenant);
  });

  it('says who calls', async () => {
    const { client, tenant, key } = await newTenant();
    const { data, headers } = accepted(await client.whoAmI());
    expect(data).toMatchObject({ tenant_id: tenant.id, key_id: key.id, scopes: ['*'] });
    expect(headers.get('ratelimit')).toMatch(/^"burst";r=\d+/);
  });

  it('is live and ready', async () => {
    expect(accepted(await admin.checkLive()).data).toEqual({ status: 'live' });
    expect(accepted(await admin.checkReady()).data).toMatchObject({ status: 'ready' });
  });

  it.each(['simple', 'a/b//c/', 'ä ö%2F+&=;', '%2e%2e', '{*}:[x]', '__proto__'])(
    'keeps a value under the key %j, byte for byte, with what is said of it',
    async (key) => {
      const { client } = await newTenant();
      const params = { namespace: 'pages', key };
      const value = Uint8Array.from({ length: 512 }, (_, i) => i % 256);
      const headers = { 'content-type': 'image/x-test', 'riptide-version': '7', 'riptide-tags': 'a, b' };
      const put = accepted(await client.putEntry({ params, query: { ttl_seconds: 60 }, headers, body: value }));
      expect(put).toMatchObject({ status: 201, data: { created: true, size_bytes: 512 } });
      if (put.status === 202) throw new Error('not an upload');

      const got = accepted(await client.getEntry({ params }));
      if (got.status !== 200) throw new Error('not the value');
      expect(got.bytes).toEqual(value);
      expect(got.contentType).toBe('image/x-test');
      expect(got.headers.get('riptide-tags')).toBe('a, b');
      expect(got.headers.get('etag')).toBe(put.data.etag);

      const head = accepted(await client.headEntry({ params }));
      expect(head.headers.get('content-length')).toBe('512');
      const again = await client.getEntry({ params, headers: { 'if-none-match': put.data.etag } });
      expect(again).toMatchObject({ ok: true, status: 304 });

      const preview = await client.deleteEntry({ params, query: { dry_run: 'true' } });
      expect(preview).toMatchObject({ ok: true, status: 200, data: { would_remove: 1 } });
      expect(await client.deleteEntry({ params })).toMatchObject({ ok: true, status: 204 });
      expect(await client.getEntry({ params })).toMatchObject({ ok: false, problem: { code: 'entry_not_found' } });
    },
  );

  it('serves its own description, which is valid, and a page of it', async () => {
    const document = accepted(await admin.getOpenapi()).data;
    expect((await new Validator().validate(structuredClone(document))).valid).toBe(true);
    const page = accepted(await admin.showDocs());
    expect(page.contentType).toBe('text/html; charset=utf-8');
    expect(new TextDecoder().decode(page.bytes)).toContain('/cache/{namespace}/{key+}');
    const answer = await fetch(`${service.url}/openapi.json`);
    expect(await answer.json()).toEqual(document);
  });
});

describe('a value that is too large for a body [C6 A16]', () => {
  const params = { namespace: 'media', key: 'film' };
  const body = new Uint8Array(5_000_000).map((_, i) => (i * i) % 251);

  it('is uploaded and read back by the client as any other', async () => {
    const { client } = await newTenant();
    const headers = { 'content-type': 'video/mp4', 'if-none-match': '*' } as const;
    const stored = await uploadEntry(client, { params, query: { ttl_seconds: 60 }, headers, body });
    expect(stored).toMatchObject({ ok: true, status: 201, data: { size_bytes: body.length } });
    const read = await client.getEntry({ params });
    if (!read.ok || read.status !== 200) throw new Error('not the value');
    expect(Buffer.compare(read.bytes, body)).toBe(0);
    expect(read.contentType).toBe('video/mp4');
    const again = await uploadEntry(client, { params, headers, body });
    expect(again).toMatchObject({ ok: false, problem: { code: 'precondition_failed' } });
  });

  it.each<[string, typeof fetch, string]>([
    ['refuses it', async () => new Response('no', { status: 403 }), 'unexpected_reply'],
    ['cannot be reached', () => Promise.reject(new TypeError('fetch failed')), 'network_error'],
  ])('is not stored when S3 %s', async (_what, toS3, code) => {
    const { client } = await newTenant();
    expect(await uploadEntry(client, { params, body }, toS3)).toMatchObject({ ok: false, problem: { code } });
    expect(await client.headEntry({ params })).toMatchObject({ ok: false, status: 404 });
  });

  it('is not begun where the caller may not write', async () => {
    const { tenant } = await newTenant();
    const key = accepted(await admin.createKey({ params: { id: tenant.id }, body: { scopes: ['cache:read'] } })).data;
    const reader = createClient({ baseUrl: service.url, key: key.key });
    const refused = await uploadEntry(reader, { params, body });
    expect(refused).toMatchObject({ ok: false, problem: { code: 'scope_missing' } });
  });
});

describe('a session, by the client [S1 S2 S3 S4 A16]', () => {
  it('is made, read, changed, given a new id, listed and ended', async () => {
    const { client } = await newTenant();
    const body = { user_id: 'ada', metadata: { source: 'web' }, data: { theme: 'dark', cart: [1, { n: 2 }] } };
    const made = accepted(await client.createSession({ body }));
    expect(made).toMatchObject({ status: 201, data: body });
    expect(made.headers.get('location')).toBe(`/sessions/${made.data.id}`);
    const params = { id: made.data.id };
    const key = 'a/ä %2F';
    const headers = { 'if-match': '"1"', 'content-type': 'application/json' };
    const put = accepted(await client.putSessionData({ params: { ...params, key }, headers, body: '0.10' }));
    expect(put.data.version).toBe(2);
    const stale = await client.updateSessionData({
      params,
      headers: { 'if-match': '"1"' },
      body: { remove: ['cart'] },
    });
    expect(stale).toMatchObject({ problem: { code: 'version_conflict', details: { current_version: 2 } } });
    expect(await client.updateSessionData({ params, body: { set: { theme: null } } })).toMatchObject({ ok: true });
    expect(await client.deleteSessionData({ params: { ...params, key: 'cart' } })).toMatchObject({ ok: true });
    const read = accepted(await client.getSession({ params }));
    expect(read).toMatchObject({ status: 200, data: { version: 4, data: { theme: null, [key]: 0.1 } } });
    const same = await client.getSession({ params, headers: { 'if-none-match': '"4"' }, query: { touch: 'false' } });
    expect(same).toMatchObject({ ok: true, status: 304 });
    expect(accepted(await client.touchSession({ params })).data.version).toBe(4);
    const rotated = accepted(await client.rotateSession({ params }));
    expect(rotated.headers.get('idempotency-status')).toBe('stored');
    expect(await client.getSession({ params })).toMatchObject({ problem: { code: 'session_not_found' } });
    const { items } = accepted(await client.listSessions({ query: { user_id: 'ada' } })).data;
    expect(items.map(({ id }) => id)).toEqual([rotated.data.id]);
    const others = { user_id: 'ada', except: rotated.data.id };
    expect(await client.deleteSessions({ query: others })).toMatchObject({ data: { terminated: 0, more: false } });
    expect(await client.deleteSession({ params: { id: rotated.data.id } })).toMatchObject({ ok: true, status: 204 });
    expect(accepted(await client.listSessions({ query: { user_id: 'ada' } })).data.items).toEqual([]);
  });
});

describe('a refusal is a problem with its own code [A14 A16]', () => {
  const params = { namespace: 'pages', key: 'x' };

  it('401: no key, or one that nobody has', async () => {
    const none = createClient({ baseUrl: service.url });
    expect(await none.getEntry({ params })).toMatchObject({ status: 401, problem: { code: 'key_missing' } });
    expect(await none.createTenant({ body: { name: 'A', owner } })).toMatchObject({ status: 401 });
    const wrong = createClient({ baseUrl: service.url, key: 'not-a-key-of-anybody' });
    expect(await wrong.getEntry({ params })).toMatchObject({ status: 401, problem: { code: 'key_unknown' } });
    expect(await wrong.headEntry({ params })).toMatchObject({ status: 401, problem: { code: 'key_unknown' } });
  });

  it('403: the wrong kind of key, and one without the scope', async () => {
    const { client, tenant } = await newTenant();
    expect(await admin.getEntry({ params })).toMatchObject({ status: 403, problem: { code: 'wrong_key_kind' } });
    expect(await client.getTenant({ params: { id: tenant.id } })).toMatchObject({
      status: 403,
      problem: { code: 'wrong_key_kind' },
    });
    const readOnly = accepted(await admin.createKey({ params: { id: tenant.id }, body: { scopes: ['cache:read'] } }));
    const reader = createClient({ baseUrl: service.url, key: readOnly.data.key });
    expect(await reader.putEntry({ params, body: '1' })).toMatchObject({
      status: 403,
      problem: { code: 'scope_missing', details: { scope: 'cache:write' } },
    });
  });

  it('404: what is not there, also of a HEAD request', async () => {
    const { client } = await newTenant();
    const gone = { params: { namespace: 'pages', key: 'gone' } };
    expect(await client.getEntry(gone)).toMatchObject({ status: 404, problem: { code: 'entry_not_found' } });
    expect(await client.headEntry(gone)).toMatchObject({ status: 404, problem: { code: 'entry_not_found' } });
    expect(await admin.getTenant({ params: { id: 'tenant-01k0xw6h9te3m8q5v2r7c4n1ba' } })).toMatchObject({
      status: 404,
      problem: { code: 'tenant_not_found' },
    });
  });

  it('400: each bad field is named', async () => {
    const outcome = await admin.createTenant({ body: { name: '', owner: { ...owner, email: 'no address' } } });
    if (outcome.ok) throw new Error('accepted');
    expect(outcome).toMatchObject({ status: 400, problem: { code: 'invalid_request' } });
    expect(outcome.problem.errors?.map(({ field }) => field).sort()).toEqual(['body.name', 'body.owner.email']);
  });

  it('412: a condition that does not hold', async () => {
    const { client } = await newTenant();
    const create = { params, body: '1', headers: { 'if-none-match': '*' } } as const;
    accepted(await client.putEntry(create));
    expect(await client.putEntry(create)).toMatchObject({ status: 412, problem: { code: 'precondition_failed' } });
  });

  it('429: a tenant over its limit is told when to come back, and a client that may repeat does', async () => {
    const { client, key } = await newTenant({ operations_per_minute: 60 });
    // 6 at once, then one each second.
    const outcomes = await Promise.all(Array.from({ length: 12 }, () => client.whoAmI()));
    const refused = outcomes.filter((outcome) => !outcome.ok);
    expect(refused.length).toBeGreaterThan(0);
    for (const { status, problem, retryAfterMs } of refused) {
      expect({ status, code: problem.code }).toEqual({ status: 429, code: 'rate_limited' });
      expect(retryAfterMs).toBe(1_000);
    }
    const patient = createClient({ baseUrl: service.url, key: key.key, retries: 5 });
    expect(await patient.whoAmI()).toMatchObject({ ok: true });
  });

  it('a POST repeated with its key is answered as before, and makes nothing new', async () => {
    const create = () => admin.createTenant({ body: { name: 'Once', owner }, idempotencyKey: 'create-once' });
    const first = accepted(await create());
    const second = accepted(await create());
    expect(second.data).toEqual(first.data);
    expect(second.headers.get('idempotency-status')).toBe('replayed');
    const other = await admin.createTenant({ body: { name: 'Other', owner }, idempotencyKey: 'create-once' });
    expect(other).toMatchObject({ status: 422, problem: { code: 'idempotency_key_reused' } });
  });
});
