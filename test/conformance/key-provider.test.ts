import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KeyContext, KeyProvider } from '../../lib/crypto/key-provider.ts';
import { createLocalProvider } from '../../lib/crypto/local-provider.ts';
import { addMasterKey, createMasterKeyFile } from '../../lib/crypto/make-master-key.ts';
import { ConfigError, KeyProviderUnavailableError, KeyRefusedError } from '../../lib/errors.ts';
import { failureOf } from '../support/blob-session.ts';
import { type KmsSession, startKmsSession } from '../support/kms-session.ts';

/** One provider with a master key of its own, and what its operator can do. */
interface Fixture {
  readonly provider: KeyProvider;
  /** Another deployment's provider, of the same kind. */
  readonly stranger: KeyProvider;
  /** A new master key that wraps from now on. */
  rotate(): Promise<void>;
}

const TENANT: KeyContext = { tenant: 'tenant-a', purpose: 'data-key' };
const running: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const stop of running) await stop();
});

async function kmsFixture(): Promise<Fixture> {
  const [kms, other] = [await startKmsSession(), await startKmsSession()];
  running.push(kms.stop, other.stop);
  return { provider: kms.provider(), stranger: other.provider(), rotate: kms.replaceKey };
}

async function keyFile(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'riptide-master-key-'));
  running.push(() => rm(dir, { recursive: true, force: true }));
  const path = join(dir, 'master.key');
  await createMasterKeyFile(path, 'first');
  return path;
}

async function localFixture(): Promise<Fixture> {
  const [masterKeyFile, other] = [await keyFile(), await keyFile()];
  return {
    provider: createLocalProvider({ masterKeyFile }),
    stranger: createLocalProvider({ masterKeyFile: other }),
    rotate: () => addMasterKey(masterKeyFile, 'second'),
  };
}

describe.each([
  ['kms', kmsFixture],
  ['local', localFixture],
] as const)('a key provider: %s [T8]', (kind, make) => {
  let fixture: Fixture;
  let provider: KeyProvider;
  beforeAll(async () => {
    fixture = await make();
    provider = fixture.provider;
  });

  it('makes a new key of 32 bytes each time, and unwraps it again', async () => {
    const [one, two] = [await provider.generate(TENANT), await provider.generate(TENANT)];
    expect(provider.kind).toBe(kind);
    expect([one.plaintext.length, two.plaintext.length]).toEqual([32, 32]);
    expect(one.plaintext.equals(two.plaintext)).toBe(false);
    expect(await provider.unwrap(one, TENANT)).toEqual(one.plaintext);
    expect(await provider.unwrap(two, TENANT)).toEqual(two.plaintext);
  });

  it('gives out a wrapped key that does not hold the key', async () => {
    const { plaintext, wrapped } = await provider.generate(TENANT);
    const bytes = Buffer.from(wrapped, 'base64');
    expect(bytes.toString('base64')).toBe(wrapped);
    expect(bytes.includes(plaintext)).toBe(false);
  });

  it('names the current master key in what it wraps', async () => {
    const { keyId } = await provider.generate(TENANT);
    expect(keyId).toBe(await provider.currentKeyId());
    expect(await provider.wrap(randomBytes(32), TENANT)).toMatchObject({ keyId });
  });

  it('wraps a key that is there, and unwraps it again', async () => {
    const plaintext = randomBytes(32);
    const wrapped = await provider.wrap(plaintext, TENANT);
    expect(await provider.unwrap(wrapped, TENANT)).toEqual(plaintext);
    expect((await provider.wrap(plaintext, TENANT)).wrapped).not.toBe(wrapped.wrapped);
  });

  it('refuses another tenant and another purpose', async () => {
    const key = await provider.generate(TENANT);
    for (const context of [
      { ...TENANT, tenant: 'tenant-b' },
      { ...TENANT, purpose: 'other' },
      { ...TENANT, tenant: '' },
      { tenant: 'data-key', purpose: 'tenant-a' },
    ]) {
      expect(await failureOf(provider.unwrap(key, context))).toMatchObject({
        code: 'key_refused',
        reason: 'wrong_key',
        retryAfterMs: undefined,
      });
    }
  });

  it('keeps keys of the deployment, which have no tenant', async () => {
    const context = { tenant: '', purpose: 'master-key-check' };
    const key = await provider.generate(context);
    expect(await provider.unwrap(key, context)).toEqual(key.plaintext);
    expect(await failureOf(provider.unwrap(key, { ...context, tenant: 'a' }))).toBeInstanceOf(KeyRefusedError);
  });

  it('refuses a wrapped key that is damaged, cut or empty', async () => {
    const key = await provider.generate(TENANT);
    const bytes = Buffer.from(key.wrapped, 'base64');
    for (let at = 0; at < bytes.length; at += 7) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      expect(await failureOf(provider.unwrap({ ...key, wrapped: damaged.toString('base64') }, TENANT))).toBeInstanceOf(
        KeyRefusedError,
      );
    }
    for (const wrapped of ['', bytes.subarray(0, 20).toString('base64'), bytes.subarray(0, -1).toString('base64')])
      expect(await failureOf(provider.unwrap({ ...key, wrapped }, TENANT))).toBeInstanceOf(KeyRefusedError);
  });

  it('knows no master key of another deployment, nor of another name', async () => {
    const theirs = await fixture.stranger.generate(TENANT);
    const refused = await failureOf(provider.unwrap(theirs, TENANT));
    expect(refused).toBeInstanceOf(KeyRefusedError);
    const ours = await provider.generate(TENANT);
    expect(await failureOf(provider.unwrap({ ...ours, keyId: 'never-made' }, TENANT))).toMatchObject({
      reason: 'unknown_key',
    });
  });

  it('says nothing secret in an error', async () => {
    const key = await provider.generate(TENANT);
    const error = await failureOf(provider.unwrap(key, { ...TENANT, tenant: 'tenant-b' }));
    expect(error.cause).toBeUndefined();
    const told = `${error.message}${error.stack}${JSON.stringify(error)}`;
    for (const secret of [key.wrapped, key.plaintext.toString('base64'), 'tenant-b'])
      expect(told).not.toContain(secret);
  });

  it('wraps under a new master key from the moment it is there, and still unwraps what the old one wrapped', async () => {
    const before = await provider.generate(TENANT);
    await fixture.rotate();
    const current = await provider.currentKeyId();
    expect(current).not.toBe(before.keyId);
    const plaintext = await provider.unwrap(before, TENANT);
    expect(plaintext).toEqual(before.plaintext);
    const again = await provider.wrap(plaintext, TENANT);
    expect(again.keyId).toBe(current);
    expect(await provider.unwrap(again, TENANT)).toEqual(before.plaintext);
  });
});

describe('KMS that fails [T8 M3]', () => {
  let kms: KmsSession;
  beforeAll(async () => {
    kms = await startKmsSession();
    running.push(kms.stop);
  });

  it('is unavailable, not refusing, when nobody answers, and works again after', async () => {
    const provider = kms.provider();
    const key = await provider.generate(TENANT);
    await kms.proxy.refuse();
    const calls = [
      provider.generate(TENANT),
      provider.unwrap(key, TENANT),
      provider.wrap(key.plaintext, TENANT),
      provider.currentKeyId(),
    ];
    for (const failure of await Promise.all(calls.map(failureOf))) {
      expect(failure).toBeInstanceOf(KeyProviderUnavailableError);
      expect(failure).toMatchObject({ status: 503, retryAfterMs: 1000 });
    }
    await kms.proxy.accept();
    expect(await provider.unwrap(key, TENANT)).toEqual(key.plaintext);
  });

  it('ends in time when an answer never comes, and when the caller gives up', async () => {
    const provider = kms.provider({ requestTimeoutMs: 150 });
    const key = await provider.generate(TENANT);
    kms.proxy.mode('hang');
    expect(await failureOf(provider.unwrap(key, TENANT))).toBeInstanceOf(KeyProviderUnavailableError);
    const patient = kms.provider({ requestTimeoutMs: 20_000 });
    const gone = failureOf(patient.unwrap(key, TENANT, { signal: AbortSignal.timeout(100) }));
    expect(await gone).toBeInstanceOf(KeyProviderUnavailableError);
    kms.proxy.cut();
    kms.proxy.mode('pass');
    expect(await provider.unwrap(key, TENANT)).toEqual(key.plaintext);
  });

  it('is tried once more when a connection dies on the way', async () => {
    const provider = kms.provider();
    const key = await provider.generate(TENANT);
    kms.proxy.loseNextReply();
    expect(await provider.unwrap(key, TENANT)).toEqual(key.plaintext);
  });

  it.each(['Disabled', 'PendingDeletion'] as const)(
    'refuses a key that is %s, until it is enabled again',
    async (state) => {
      const provider = kms.provider();
      const key = await provider.generate(TENANT);
      await kms.setState(state);
      const calls = [provider.generate(TENANT), provider.unwrap(key, TENANT), provider.wrap(key.plaintext, TENANT)];
      for (const failure of await Promise.all(calls.map(failureOf)))
        expect(failure).toMatchObject({ code: 'key_refused', reason: 'key_disabled' });
      await kms.setState('Enabled');
      expect(await provider.unwrap(key, TENANT)).toEqual(key.plaintext);
    },
  );

  it('takes refused credentials for a fault of this process, not for a refused key', async () => {
    const wrong = kms.provider({ region: 'eu-west-1' });
    expect(await failureOf(wrong.generate(TENANT))).toBeInstanceOf(KeyProviderUnavailableError);
  });

  it('keeps its master key when the material is turned', async () => {
    const provider = kms.provider();
    const before = await provider.generate(TENANT);
    await kms.turn();
    expect(await provider.currentKeyId()).toBe(before.keyId);
    expect((await provider.generate(TENANT)).keyId).toBe(before.keyId);
    expect(await provider.unwrap(before, TENANT)).toEqual(before.plaintext);
  });
});

describe('a file of master keys [T8]', () => {
  const providerOf = (masterKeyFile: string) => createLocalProvider({ masterKeyFile });

  it('is made for its owner only, and never overwritten', async () => {
    const path = await keyFile();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const before = await readFile(path, 'utf8');
    await expect(createMasterKeyFile(path, 'again')).rejects.toMatchObject({ code: 'EEXIST' });
    expect(await readFile(path, 'utf8')).toBe(before);
  });

  it.each([0o640, 0o604, 0o620, 0o602, 0o777])('is refused when its mode is %o', async (mode) => {
    const path = await keyFile();
    await chmod(path, mode);
    const failure = await failureOf(providerOf(path).generate(TENANT));
    expect(failure).toBeInstanceOf(ConfigError);
    expect(failure.message).toMatch(/encryption\.master_key_file/);
    expect(failure.message).toMatch(/chmod 600/);
  });

  it.each([
    ['nothing', ''],
    ['comments only', '# a key belongs here\n\n'],
    ['a key that is too short', `one ${randomBytes(31).toString('base64')}\n`],
    ['a key that is too long', `one ${randomBytes(33).toString('base64')}\n`],
    ['a key without an id', `${randomBytes(32).toString('base64')}\n`],
    ['one id twice', `one ${randomBytes(32).toString('base64')}\none ${randomBytes(32).toString('base64')}\n`],
    ['more on a line', `one ${randomBytes(32).toString('base64')} x\n`],
    ['another kind of text', '{"key":"value"}\n'],
  ])('is refused when it holds %s, and not repeated', async (_name, text) => {
    const path = await keyFile();
    await writeFile(path, text);
    const failure = await failureOf(providerOf(path).currentKeyId());
    expect(failure).toBeInstanceOf(ConfigError);
    for (const word of text.split(/\s/).filter((part) => part.length > 8)) expect(failure.message).not.toContain(word);
  });

  it('is named when it is not there', async () => {
    const failure = await failureOf(providerOf('/nowhere/master.key').generate(TENANT));
    expect(failure).toBeInstanceOf(ConfigError);
    expect(failure.message).toContain('there is no such file');
  });

  it('keeps its older keys when one is added, and refuses an id it has', async () => {
    const path = await keyFile();
    const before = await readFile(path, 'utf8');
    await addMasterKey(path, 'second');
    expect(await readFile(path, 'utf8')).toMatch(
      new RegExp(`^${before.replace(/[+/=]/g, '\\$&')}second [A-Za-z0-9+/]{43}=\n$`),
    );
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await expect(addMasterKey(path, 'first')).rejects.toBeInstanceOf(ConfigError);
    expect(await providerOf(path).currentKeyId()).toBe('second');
    await addMasterKey(path, 'third');
    expect(await providerOf(path).currentKeyId()).toBe('third');
  });
});
