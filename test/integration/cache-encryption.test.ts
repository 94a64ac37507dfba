/** Entries of encrypting tenants: one round trip, bound to their place, readable across rotations, whatever KMS does. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { createTenantKeys, keyRefs } from '../../lib/crypto/tenant-keys.ts';
import { OutcomeUnknownError } from '../../lib/errors.ts';
import { EMPTY_CONTEXT, packContext, unpackContextData } from '../../lib/gate/context-format.ts';
import { newUlid } from '../../lib/ids.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import type { FailpointHook } from '../../lib/redis/failpoints.ts';
import { createKeyRotation } from '../../lib/tenants/key-rotation.ts';
import { createPublisher } from '../../lib/tenants/publisher.ts';
import { createTenantChanges } from '../../lib/tenants/tenant-change.ts';
import { createTenantReader } from '../../lib/tenants/tenant-reader.ts';
import { newTenant, newTenantRequest, TRANSPORTS, testApp } from '../support/app.ts';
import { auditTenant } from '../support/audit-tenant.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { gateState } from '../support/gate-state.ts';
import { type KmsSession, startKmsSession } from '../support/kms-session.ts';
import { servers } from '../support/servers.ts';
import { keysOf, tenantState } from '../support/tenant-state.ts';

const entry = { namespace: 'ns', key: 'k' };
const secret = 'correct horse battery staple';
const set = (text: string | Buffer) => ({
  value: Buffer.from(text),
  meta: { content_type: 'text/plain', tags: ['a'] },
  ttlMs: null,
});
const stored = async (app: App, id: Parameters<ReturnType<typeof keysOf>['gate']>[0], name = entry) =>
  (await app.redis.send(['GET', keysOf(app).cacheEntry(id, 1, name)], { kind: 'read' })) as string;

describe.each(TRANSPORTS)('encrypted entries over %s [T8 C1 C5]', (transport) => {
  let app: App;
  let trips = 0;
  const count: FailpointHook = ({ port, phase }) => {
    if (port === 'redis' && phase === 'before') trips++;
  };
  beforeAll(async () => {
    app = await testApp({ transport, failpoint: count });
  });
  const encrypting = () => newTenant(app, { encryption: true });

  it.each([
    ['graw', Buffer.from(secret)],
    ['glz4', Buffer.alloc(5_000, secret)],
    ['graw', Buffer.from([0, 255, 128, 10, 13])],
    ['graw', Buffer.alloc(0)],
  ])('come back byte for byte, and stand as %s: nothing of them can be read in Redis', async (codec, value) => {
    const { tenant, caller } = await encrypting();
    const { rawBytes } = await app.cache.set(caller, entry, set(value));
    expect(rawBytes).toBe(value.length);
    expect(await app.cache.get(caller, entry)).toMatchObject({ value, meta: { tags: ['a'] } });
    const text = await stored(app, tenant.id);
    expect(text).not.toContain(secret);
    expect(text.slice(0, text.indexOf('\n'))).toMatch(new RegExp(`,${codec}$`));
    expect(await auditTenant(app, tenant.id)).toBe(1);
  });

  it('take one round trip, after the first of an instance', async () => {
    const { caller } = await encrypting();
    const all = [
      () => app.cache.set(caller, entry, set(secret)),
      () => app.cache.get(caller, entry),
      () => app.cache.head(caller, entry),
      () => app.cache.delete(caller, entry),
    ];
    // Redis learns the scripts.
    for (const work of all) await work();
    trips = 0;
    for (const [done, work] of all.entries()) {
      await work();
      expect(trips).toBe(done + 1);
    }
  });

  it('moved to another key or tenant do not open: they are damaged entries, removed and missed', async () => {
    const [one, two] = [await encrypting(), await encrypting()];
    await app.cache.set(one.caller, entry, set(secret));
    const text = await stored(app, one.tenant.id);
    const places = [
      { to: one, name: { namespace: 'ns', key: 'other' } },
      { to: one, name: { namespace: 'other', key: 'k' } },
      { to: two, name: entry },
    ];
    for (const { to, name } of places) {
      await app.cache.set(to.caller, name, set('x'));
      const key = keysOf(app).cacheEntry(to.tenant.id, 1, name);
      await app.redis.send(['SET', key, text], { kind: 'write' });
      expect(await app.cache.get(to.caller, name)).toBeNull();
      expect(await app.redis.send(['EXISTS', key], { kind: 'read' })).toBe(0);
    }
    expect(await app.cache.get(one.caller, entry)).not.toBeNull();
  });

  it('cannot be opened from a copy of Redis once the keys in S3 are destroyed', async () => {
    const { tenant, caller } = await encrypting();
    await app.cache.set(caller, entry, set(secret));
    await app.tenantKeys.destroy(tenant.id);
    const restored = await testApp({ transport });
    await expect(restored.cache.get(caller, entry)).rejects.toMatchObject({ code: 'key_refused', reason: 'destroyed' });
    await expect(restored.cache.set(caller, entry, set('x'))).rejects.toMatchObject({ code: 'key_refused' });
    expect(JSON.stringify(await tenantState(app, tenant.id))).not.toContain('wrapped');
  });

  it('answer a lost reply with what was stored', async () => {
    let lose = false;
    const unlucky = await testApp({
      transport,
      failpoint: ({ name, phase }) => {
        if (!lose || name !== 'set-cache-entry' || phase !== 'after') return;
        lose = false;
        throw new OutcomeUnknownError('lost');
      },
    });
    const { caller } = await encrypting();
    await unlucky.cache.get(caller, entry);
    lose = true;
    const { etag } = await unlucky.cache.set(caller, entry, set(secret));
    expect(await unlucky.cache.get(caller, entry)).toMatchObject({ etag });
  });

  it('of before encryption was turned on, and of after it was turned off, are read beside them', async () => {
    const { tenant, caller } = await newTenant(app);
    const named = (key: string) => ({ namespace: 'ns', key });
    await app.cache.set(caller, named('before'), set('1'));
    await app.tenantAdmin.update(tenant.id, { encryption: true }, {});
    await app.cache.set(caller, named('during'), set('2'));
    await app.tenantAdmin.update(tenant.id, { encryption: false }, {});
    await app.cache.set(caller, named('after'), set('3'));
    const texts = await Promise.all(['before', 'during', 'after'].map((key) => stored(app, tenant.id, named(key))));
    expect(texts.map((text) => /,(\w+)\n/.exec(text)?.[1])).toEqual(['text', 'graw', 'text']);
    const values = await Promise.all(['before', 'during', 'after'].map((key) => app.cache.get(caller, named(key))));
    expect(values.map((found) => (found as { value: Buffer }).value.toString())).toEqual(['1', '2', '3']);
  });

  it('are read after the data key was rotated; what is written then is under the new one', async () => {
    const { tenant, caller } = await encrypting();
    await app.cache.set(caller, entry, set('old'));
    await app.keyRotation.rotate(tenant.id, {});
    expect(await app.cache.get(caller, entry)).toMatchObject({ value: Buffer.from('old') });
    expect(await stored(app, tenant.id)).toMatch(/\}1\.[\w+/=]+$/);
    await app.cache.set(caller, entry, set('new'));
    expect(await stored(app, tenant.id)).toMatch(/\}2\.[\w+/=]+$/);
    const other = await testApp({ transport });
    expect(await other.cache.get(caller, entry)).toMatchObject({ value: Buffer.from('new') });
  });
});

describe('a key provider that is down [T8]', () => {
  let proxy: FaultProxy;
  beforeAll(async () => {
    proxy = await startFaultProxy({ targetPort: Number(new URL(servers().kms.url).port) });
  });
  afterAll(() => proxy.stop());

  it('leaves keys that are known in use; others are 503, and nothing is changed', async () => {
    const env = {
      PERSISTENCE_ENCRYPTION_KMS_ENDPOINT: `http://127.0.0.1:${proxy.port}`,
      PERSISTENCE_ENCRYPTION_REQUEST_TIMEOUT_MS: '500',
    };
    const app = await testApp({ env });
    const [known, other] = [await newTenant(app, { encryption: true }), await newTenant(app, { encryption: true })];
    await app.cache.set(known.caller, entry, set(secret));
    const before = await gateState(app, other.tenant.id).read('m');
    await proxy.refuse();
    try {
      expect(await app.cache.get(known.caller, entry)).toMatchObject({ value: Buffer.from(secret) });
      await app.cache.set(known.caller, entry, set('more'));
      const refused = app.cache.set(other.caller, entry, set(secret));
      await expect(refused).rejects.toMatchObject({ code: 'key_provider_unavailable', status: 503 });
      expect(await gateState(app, other.tenant.id).read('m')).toBe(before);
      const create = app.tenants.create(newTenantRequest({ encryption: true }));
      await expect(create).rejects.toMatchObject({ code: 'key_provider_unavailable' });
    } finally {
      await proxy.accept();
    }
    const again = () => app.cache.set(other.caller, entry, set(secret)).catch(() => null);
    await expect.poll(again, { timeout: 10_000 }).not.toBeNull();
  });
});

describe('a new master key [T8]', () => {
  let kms: KmsSession;
  beforeAll(async () => {
    kms = await startKmsSession();
  });
  afterAll(() => kms.stop());

  it('wraps every data key again; what was encrypted before is read, also when the old master key is gone', async () => {
    const app = await testApp({ env: { PERSISTENCE_CACHE_KEY_PREFIX: `w-${newUlid(Date.now())}` } });
    const keys = keysOf(app);
    const tenantKeys = createTenantKeys({ provider: kms.provider(), blobs: app.blobs });
    const { redis, tenants } = app;
    const changes = createTenantChanges({
      redis,
      keys,
      reader: createTenantReader({ redis, keys }),
      publisher: createPublisher({ redis, keys }),
      now: Date.now,
    });
    const rotation = createKeyRotation({ redis, keys, tenants, tenantKeys, changes, telemetry });
    const made = await Promise.all([1, 2, 3].map(() => newTenant(app)));
    for (const { tenant } of made) {
      const set = await tenantKeys.provision(tenant.id);
      const context = { ...EMPTY_CONTEXT, keys: keyRefs(set), data_key: set.data_key };
      await gateState(app, tenant.id).write('x', packContext(context));
    }
    expect(await rotation.rewrapDue()).toEqual({ rewrapped: 0, failed: 0, finished: true });

    const old = await kms.provider().currentKeyId();
    await kms.replaceKey();
    const plain = async ({ tenant }: (typeof made)[number]) => {
      const [ref] = unpackContextData(await gateState(app, tenant.id).read('x')).keys;
      const wrapped = await tenantKeys.find(tenant.id, 1);
      const key = await kms.provider().unwrap(wrapped, { tenant: tenant.id, purpose: 'data-key' });
      expect(ref).toEqual({ version: 1, key_id: wrapped.keyId });
      return { keyId: wrapped.keyId, hex: key.toString('hex') };
    };
    const before = await Promise.all(made.map(plain));
    expect(before.map(({ keyId }) => keyId)).toEqual([old, old, old]);
    expect(await rotation.rewrapDue()).toEqual({ rewrapped: 3, failed: 0, finished: true });
    expect(await rotation.rewrapDue()).toEqual({ rewrapped: 0, failed: 0, finished: true });
    await kms.change((ring) => ({ ...ring, keys: ring.keys.slice(-1) }));
    const after = await Promise.all(made.map(plain));
    expect(after.map(({ hex }) => hex)).toEqual(before.map(({ hex }) => hex));
    expect(after.map(({ keyId }) => keyId)).not.toContain(old);
  });
});
