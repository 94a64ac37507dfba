/** The data keys of a tenant, once they are destroyed: nothing makes others in their place. */
import { describe, expect, it } from 'vitest';
import { createTenantKeys } from '../../lib/crypto/tenant-keys.ts';
import { tenantKeysBlob } from '../../lib/keys.ts';
import type { FailpointHook } from '../../lib/redis/failpoints.ts';
import { newTenant, testApp } from '../support/app.ts';
import { gateState } from '../support/gate-state.ts';

const DESTROYED = { code: 'key_refused', reason: 'destroyed' };
const value = { value: Buffer.from('v'), meta: { content_type: 'text/plain' }, ttlMs: null };

/** An encrypted tenant; `between` runs before each call of the key provider. */
async function encrypted() {
  let between: FailpointHook = () => {};
  const app = await testApp({ failpoint: (call) => (call.port === 'keys' ? between(call) : undefined) });
  const { tenant, caller } = await newTenant(app, { encryption: true });
  const destroy = () => app.blobs.delete([tenantKeysBlob(tenant.id)]);
  const isThere = async () => (await app.blobs.head(tenantKeysBlob(tenant.id))) !== null;
  return { app, id: tenant.id, caller, destroy, isThere, onKeys: (hook: FailpointHook) => (between = hook) };
}

describe('destroyed data keys [T8 T9]', () => {
  it('are not made anew by a rotation: what is stored under them would be taken for damaged', async () => {
    const { app, id, caller, destroy, isThere } = await encrypted();
    await app.cache.set(caller, { namespace: 'ns', key: 'k' }, value);
    const context = await gateState(app, id).read('x');
    await destroy();
    await expect(app.keyRotation.rotate(id, {})).rejects.toMatchObject(DESTROYED);
    expect(await isThere()).toBe(false);
    expect(await gateState(app, id).read('x')).toBe(context);
  });

  it('stay away when they are destroyed while a rotation runs', async () => {
    const { app, id, destroy, isThere, onKeys } = await encrypted();
    onKeys(({ name, phase }) => (name === 'generate' && phase === 'after' ? destroy() : undefined));
    await expect(app.keyRotation.rotate(id, {})).rejects.toMatchObject(DESTROYED);
    expect(await isThere()).toBe(false);
  });

  it('are not wrapped again, nor others in their place', async () => {
    const { id, app, destroy, isThere } = await encrypted();
    await destroy();
    const tenantKeys = createTenantKeys({ provider: null, blobs: app.blobs });
    await expect(tenantKeys.rewrap(id, 'another master key')).rejects.toMatchObject(DESTROYED);
    expect(await isThere()).toBe(false);
  });
});

it('says that no data key can be added to a hundred [T8]', async () => {
  const { app, id } = await encrypted();
  const key = tenantKeysBlob(id);
  const blob = await app.blobs.get(key, { maxBytes: 10_000 });
  const set = JSON.parse(String(blob?.body));
  const keys = Array.from({ length: 100 }, (_, i) => ({ ...set.keys[0], version: i + 1 }));
  await app.blobs.put({ key, body: Buffer.from(JSON.stringify({ ...set, keys, data_key: 1 })) });
  const full = { status: 409, code: 'data_key_limit_reached' };
  await expect(app.keyRotation.rotate(id, {})).rejects.toMatchObject(full);
});
