/** API keys of tenants: shown once, stored hashed, as many as a tenant may have. */
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { BlobUnavailableError } from '../../lib/errors.ts';
import { parseApiKey } from '../../lib/gate/caller.ts';
import { newUlid, type TenantId } from '../../lib/ids.ts';
import { revocationBlob } from '../../lib/keys.ts';
import { MAX_KEYS_PER_TENANT } from '../../lib/tenants/api-keys.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { keysOf, tenantState } from '../support/tenant-state.ts';

const all = { scopes: ['*' as const], expires_at: null };

describe.each(TRANSPORTS)('API keys over %s [T2]', (transport) => {
  let app: App;
  beforeAll(async () => {
    app = await testApp({ transport });
  });

  const hashOf = async (id: TenantId, what: 'apiKeys' | 'gate') =>
    (await app.redis.send(['HGETALL', keysOf(app)[what](id)], { kind: 'read' })) as readonly string[];

  it('carries the tenant, and is stored as a hash only', async () => {
    const { tenant } = await newTenant(app);
    const { id, key } = await app.apiKeys.create(tenant.id, { ...all, name: 'ci' });
    expect(key).toMatch(new RegExp(`^rt_${tenant.id}_${id}_[0-9A-Za-z]{43}$`));
    const { keyHash } = parseApiKey(key);
    expect(keyHash).toBe(createHash('sha256').update(key).digest('hex'));
    const stored = JSON.stringify([await hashOf(tenant.id, 'apiKeys'), await hashOf(tenant.id, 'gate')]);
    expect(stored).toContain(keyHash);
    expect(stored).not.toContain(key.slice(-43));
    const fields = await hashOf(tenant.id, 'apiKeys');
    const [, state, revokedAt, ...json] = `${fields[fields.indexOf(id) + 1]}`.split(',');
    expect([state, revokedAt]).toEqual(['a', '0']);
    expect(JSON.parse(json.join(','))).toMatchObject({ id, scopes: ['*'], expires_at: null, name: 'ci' });
  });

  it('never makes the same key twice', async () => {
    const { tenant } = await newTenant(app);
    const made = await Promise.all(Array.from({ length: 50 }, () => app.apiKeys.create(tenant.id, all)));
    expect(new Set(made.map(({ key }) => key.slice(-43))).size).toBe(50);
    expect(new Set(made.map(({ id }) => id)).size).toBe(50);
  });

  it('expires when it says', async () => {
    const { tenant } = await newTenant(app);
    const expires_at = new Date(Date.now() + 60_000).toISOString();
    const { key, ...made } = await app.apiKeys.create(tenant.id, { scopes: ['cache:read'], expires_at });
    expect(made).toMatchObject({ scopes: ['cache:read'], expires_at });
    const past = await app.apiKeys.create(tenant.id, { ...all, expires_at: '2020-01-01T00:00:00Z' });
    expect(past.expires_at).toBe('2020-01-01T00:00:00.000Z');
    await expect(app.account.identify(parseApiKey(past.key))).rejects.toMatchObject({ code: 'key_expired' });
    expect((await app.account.identify(parseApiKey(key))).scopes).toEqual(['cache:read']);
  });

  it('takes the place of a secret whose answer never arrived, and is still one key', async () => {
    const { tenant } = await newTenant(app);
    const ulid = newUlid(Date.now());
    const lost = await app.apiKeys.create(tenant.id, all, { ulid });
    const again = await app.apiKeys.create(tenant.id, all, { ulid });
    expect(again.id).toBe(lost.id);
    await expect(app.account.identify(parseApiKey(lost.key))).rejects.toMatchObject({ code: 'key_unknown' });
    expect((await app.account.identify(parseApiKey(again.key))).key_id).toBe(lost.id);
    expect((await hashOf(tenant.id, 'apiKeys')).filter((_, i) => i % 2 === 0)).toHaveLength(2);
  });

  it('are as many as a tenant may have, also when callers race for the last', async () => {
    const { tenant } = await newTenant(app);
    const others = Array.from({ length: MAX_KEYS_PER_TENANT - 2 }, (_, i) => [`key-${i}`, 'ab,a,0,{}']).flat();
    await app.redis.send(['HSET', keysOf(app).apiKeys(tenant.id), ...others], { kind: 'write' });
    const racing = await Promise.allSettled(Array.from({ length: 10 }, () => app.apiKeys.create(tenant.id, all)));
    const refused = racing.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    expect(refused).toHaveLength(9);
    for (const reason of refused) expect(reason).toMatchObject({ status: 409, code: 'key_limit_reached' });
    expect(
      Object.keys((await tenantState(app, tenant.id)).gate).filter((field) => field.startsWith('k:')),
    ).toHaveLength(2);
  });

  it('is not made for a tenant that does not exist, nor revoked when nobody has it', async () => {
    const nobody = `tenant-${newUlid(0)}` as TenantId;
    await expect(app.apiKeys.create(nobody, all)).rejects.toMatchObject({ status: 404, code: 'tenant_not_found' });
    expect((await tenantState(app, nobody)).gate).toEqual({});
    const { tenant } = await newTenant(app);
    const revoking = app.apiKeys.revoke(tenant.id, `key-${newUlid(0)}`);
    await expect(revoking).rejects.toMatchObject({ status: 404, code: 'key_not_found' });
  });

  it('stays revoked when the call that made it is repeated', async () => {
    const { tenant } = await newTenant(app);
    const ulid = newUlid(Date.now());
    const { id, key } = await app.apiKeys.create(tenant.id, all, { ulid });
    await app.apiKeys.revoke(tenant.id, id);
    const again = app.apiKeys.create(tenant.id, all, { ulid });
    await expect(again).rejects.toMatchObject({ status: 404, code: 'key_not_found' });
    await expect(app.account.identify(parseApiKey(key))).rejects.toMatchObject({ code: 'key_revoked' });
  });

  it('is revoked at once also while S3 is away, which is said, and kept there when it is back', async () => {
    let away = true;
    const unlucky = await testApp({
      transport,
      failpoint: ({ port, phase }) => {
        if (away && port === 'blobs' && phase === 'before') throw new BlobUnavailableError('S3 is away');
      },
    });
    const { tenant, key, caller } = await newTenant(app);
    const id = key.split('_')[2] ?? '';
    const revoke = () => unlucky.apiKeys.revoke(tenant.id, id);
    await expect(revoke()).rejects.toMatchObject({ code: 'outcome_unknown', status: 503 });
    await expect(app.account.identify(caller)).rejects.toMatchObject({ code: 'key_revoked' });
    expect(await app.blobs.head(revocationBlob(tenant.id, id))).toBeNull();
    away = false;
    await revoke();
    expect(await app.blobs.head(revocationBlob(tenant.id, id))).not.toBeNull();
  });

  it('revoking one leaves the others', async () => {
    const { tenant, caller } = await newTenant(app);
    const { id, key } = await app.apiKeys.create(tenant.id, all);
    await app.apiKeys.revoke(tenant.id, id);
    await expect(app.account.identify(parseApiKey(key))).rejects.toMatchObject({ code: 'key_revoked' });
    expect((await app.account.identify(caller)).tenant_id).toBe(tenant.id);
  });
});
