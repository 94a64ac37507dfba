import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDataKeys, type DataKeys, dataKeyContext } from '../../lib/crypto/data-keys.ts';
import { withKeyFailpoints } from '../../lib/crypto/failpoints.ts';
import type { KeyProvider, WrappedKey } from '../../lib/crypto/key-provider.ts';
import { createLocalProvider } from '../../lib/crypto/local-provider.ts';
import { createMasterKeyFile } from '../../lib/crypto/make-master-key.ts';
import { KeyProviderUnavailableError, KeyRefusedError } from '../../lib/errors.ts';
import { failureOf } from '../support/blob-session.ts';
import { type KmsSession, startKmsSession } from '../support/kms-session.ts';

const MINUTE = 60_000;
const MAX_AGE_MS = 5 * MINUTE;
const STALE_MS = 60 * MINUTE;
let kms: KmsSession;
beforeAll(async () => {
  kms = await startKmsSession();
});
afterAll(() => kms.stop());

/** Data keys over the real client, a clock that is set by hand, and a count of what KMS was asked. */
function newDataKeys(hook: () => Promise<void> | void = () => {}) {
  const clock = { nowMs: Date.UTC(2025, 0, 1) };
  const asked = { count: 0 };
  const provider: KeyProvider = withKeyFailpoints(kms.provider({ requestTimeoutMs: 1000 }), async ({ phase }) => {
    if (phase === 'before') asked.count += 1;
    else await hook();
  });
  const dataKeys = createDataKeys({ provider, maxAgeMs: MAX_AGE_MS, staleMs: STALE_MS, now: () => clock.nowMs });
  return { dataKeys, clock, asked };
}

type WrappedDataKey = WrappedKey & { readonly version: number };

const get = (dataKeys: DataKeys, tenant: string, wrapped: WrappedDataKey) =>
  dataKeys.get(tenant, { version: wrapped.version, load: async () => wrapped });

async function newWrapped(tenant: string, version = 1): Promise<{ wrapped: WrappedDataKey; plaintext: Buffer }> {
  const { plaintext, ...wrapped } = await kms.provider().generate(dataKeyContext(tenant));
  return { wrapped: { ...wrapped, version }, plaintext };
}

describe('data keys in memory [T8]', () => {
  it('gives the key of a tenant, and asks KMS once for as long as it is young', async () => {
    const { dataKeys, clock, asked } = newDataKeys();
    const { wrapped, plaintext } = await newWrapped('t1');
    expect((await get(dataKeys, 't1', wrapped)).export()).toEqual(plaintext);
    clock.nowMs += MAX_AGE_MS - 1;
    expect((await get(dataKeys, 't1', wrapped)).export()).toEqual(plaintext);
    expect(asked.count).toBe(1);
    clock.nowMs += 1;
    await get(dataKeys, 't1', wrapped);
    expect(asked.count).toBe(2);
    await get(dataKeys, 't1', wrapped);
    expect(asked.count).toBe(2);
  });

  it('asks once when a hundred need the same key at once, and gives all of them the same', async () => {
    const { dataKeys, asked } = newDataKeys();
    const { wrapped, plaintext } = await newWrapped('t1');
    const keys = await Promise.all(Array.from({ length: 100 }, () => get(dataKeys, 't1', wrapped)));
    expect(asked.count).toBe(1);
    for (const key of keys) expect(key.export()).toEqual(plaintext);
  });

  it('keeps versions and tenants apart, also where a tenant brings the bytes of another', async () => {
    const { dataKeys } = newDataKeys();
    const [one, two] = [await newWrapped('t1', 1), await newWrapped('t1', 2)];
    expect((await get(dataKeys, 't1', one.wrapped)).export()).toEqual(one.plaintext);
    expect((await get(dataKeys, 't1', two.wrapped)).export()).toEqual(two.plaintext);
    expect(await failureOf(get(dataKeys, 't2', one.wrapped))).toBeInstanceOf(KeyRefusedError);
    expect((await get(dataKeys, 't1', one.wrapped)).export()).toEqual(one.plaintext);
  });

  it('takes a clock that was set back for no reason to trust an old key', async () => {
    const { dataKeys, clock, asked } = newDataKeys();
    const { wrapped } = await newWrapped('t1');
    await get(dataKeys, 't1', wrapped);
    clock.nowMs -= MAX_AGE_MS;
    await get(dataKeys, 't1', wrapped);
    expect(asked.count).toBe(2);
  });
});

describe('data keys while KMS cannot be reached [T8 M3]', () => {
  it('go on until they are stale, then fail; and are fresh again once KMS is back', async () => {
    const { dataKeys, clock } = newDataKeys();
    const { wrapped, plaintext } = await newWrapped('t1');
    await get(dataKeys, 't1', wrapped);
    await kms.proxy.refuse();
    clock.nowMs += STALE_MS - 1;
    expect((await get(dataKeys, 't1', wrapped)).export()).toEqual(plaintext);
    clock.nowMs += 1;
    // Within the pause after the last failure, and after it.
    expect(await failureOf(get(dataKeys, 't1', wrapped))).toBeInstanceOf(KeyProviderUnavailableError);
    clock.nowMs += MINUTE;
    expect(await failureOf(get(dataKeys, 't1', wrapped))).toBeInstanceOf(KeyProviderUnavailableError);
    await kms.proxy.accept();
    clock.nowMs += MINUTE;
    expect((await get(dataKeys, 't1', wrapped)).export()).toEqual(plaintext);
    clock.nowMs += MAX_AGE_MS - 1;
    await kms.proxy.refuse();
    expect((await get(dataKeys, 't1', wrapped)).export()).toEqual(plaintext);
    await kms.proxy.accept();
  });

  it('are not asked for at every request: once a second', async () => {
    const { dataKeys, clock, asked } = newDataKeys();
    const { wrapped } = await newWrapped('t1');
    await get(dataKeys, 't1', wrapped);
    await kms.proxy.refuse();
    clock.nowMs += MAX_AGE_MS;
    for (let i = 0; i < 50; i += 1) await get(dataKeys, 't1', wrapped);
    expect(asked.count).toBe(2);
    clock.nowMs += 1000;
    await get(dataKeys, 't1', wrapped);
    expect(asked.count).toBe(3);
    await kms.proxy.accept();
    clock.nowMs += 1000;
    await get(dataKeys, 't1', wrapped);
    clock.nowMs += 1000;
    await get(dataKeys, 't1', wrapped);
    expect(asked.count).toBe(4);
  });

  it('fail with 503 and when to come back where the key is new', async () => {
    const { dataKeys, asked } = newDataKeys();
    const { wrapped } = await newWrapped('t1');
    await kms.proxy.refuse();
    const failures = await Promise.all(Array.from({ length: 20 }, () => failureOf(get(dataKeys, 't1', wrapped))));
    for (const failure of failures) expect(failure).toMatchObject({ status: 503, retryAfterMs: 1000 });
    expect(asked.count).toBe(1);
    await kms.proxy.accept();
  });
});

describe('data keys that are refused or forgotten [T8]', () => {
  it('are dropped at once when the master key is disabled, and come back when it is enabled', async () => {
    const { dataKeys, clock } = newDataKeys();
    const { wrapped, plaintext } = await newWrapped('t1');
    await get(dataKeys, 't1', wrapped);
    await kms.setState('Disabled');
    clock.nowMs += MAX_AGE_MS;
    expect(await failureOf(get(dataKeys, 't1', wrapped))).toMatchObject({
      code: 'key_refused',
      reason: 'key_disabled',
    });
    // The key is gone: a KMS that is down as well does not bring it back.
    await kms.proxy.refuse();
    clock.nowMs += 1000;
    expect(await failureOf(get(dataKeys, 't1', wrapped))).toBeInstanceOf(KeyProviderUnavailableError);
    await kms.proxy.accept();
    await kms.setState('Enabled');
    clock.nowMs += 1000;
    expect((await get(dataKeys, 't1', wrapped)).export()).toEqual(plaintext);
  });

  it('are refused without a call for each request', async () => {
    const { dataKeys, clock, asked } = newDataKeys();
    const { wrapped } = await newWrapped('t1');
    for (let i = 0; i < 50; i += 1)
      expect(await failureOf(get(dataKeys, 't2', wrapped))).toBeInstanceOf(KeyRefusedError);
    expect(asked.count).toBe(1);
    clock.nowMs += 1000;
    await failureOf(get(dataKeys, 't2', wrapped));
    expect(asked.count).toBe(2);
  });

  it('are forgotten for one tenant only', async () => {
    const { dataKeys, asked } = newDataKeys();
    const [one, two, other] = [await newWrapped('t1', 1), await newWrapped('t1', 2), await newWrapped('t10')];
    const all = () =>
      Promise.all([
        get(dataKeys, 't1', one.wrapped),
        get(dataKeys, 't1', two.wrapped),
        get(dataKeys, 't10', other.wrapped),
      ]);
    await all();
    dataKeys.forget('t1');
    expect(dataKeys.size()).toBe(1);
    await all();
    expect(asked.count).toBe(5);
  });

  it('leave the memory when they are stale and nobody asks for them', async () => {
    const { dataKeys, clock } = newDataKeys();
    const [one, two, used] = [await newWrapped('t1'), await newWrapped('t2'), await newWrapped('t3')];
    await get(dataKeys, 't1', one.wrapped);
    await get(dataKeys, 't2', two.wrapped);
    clock.nowMs += STALE_MS - 1;
    await get(dataKeys, 't3', used.wrapped);
    expect(dataKeys.size()).toBe(3);
    clock.nowMs += 1;
    await get(dataKeys, 't3', used.wrapped);
    expect(dataKeys.size()).toBe(1);
  });

  it('are not kept when their tenant is forgotten while KMS answers', async () => {
    const arrived = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const { dataKeys } = newDataKeys(() => {
      arrived.resolve();
      return goOn.promise;
    });
    const { wrapped } = await newWrapped('t1');
    const waiting = get(dataKeys, 't1', wrapped);
    await arrived.promise;
    dataKeys.forget('t1');
    goOn.resolve();
    await waiting;
    expect(dataKeys.size()).toBe(0);
  });
});

it('keeps so many data keys at most, those last used [T8]', async () => {
  // Keys of a file: a thousand calls of KMS would be the test.
  const masterKeyFile = `${kms.dir}/master.key`;
  await createMasterKeyFile(masterKeyFile, 'one');
  const asked = { count: 0 };
  const provider = withKeyFailpoints(createLocalProvider({ masterKeyFile }), ({ phase }) => {
    if (phase === 'before') asked.count += 1;
  });
  const dataKeys = createDataKeys({ provider, maxAgeMs: MAX_AGE_MS, staleMs: STALE_MS, now: () => 0, maxKeys: 500 });
  const keys: WrappedDataKey[] = [];
  for (let i = 0; i < 501; i += 1) {
    const { plaintext: _plaintext, ...made } = await provider.generate(dataKeyContext(`t${i}`));
    keys.push({ ...made, version: 1 });
  }
  for (const [at, key] of keys.slice(0, 500).entries()) await get(dataKeys, `t${at}`, key);
  await get(dataKeys, 't0', keys[0] as WrappedDataKey);
  await get(dataKeys, 't500', keys[500] as WrappedDataKey);
  expect(dataKeys.size()).toBe(500);
  asked.count = 0;
  await get(dataKeys, 't0', keys[0] as WrappedDataKey);
  expect(asked.count).toBe(0);
  await get(dataKeys, 't1', keys[1] as WrappedDataKey);
  expect(asked.count).toBe(1);
});
