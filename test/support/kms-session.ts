/** A KMS endpoint of a test's own, behind a proxy that does what networks do: its keys may be disabled, turned and lost. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type KeyRing, newKey, newVersion, readKeyRing, writeKeyRing } from '../../infra/local/kms/key-file.ts';
import { DEFAULT_ALIAS, startKmsEndpoint } from '../../infra/local/kms/start-kms-endpoint.ts';
import { createKmsProvider, type KmsSettings } from '../../lib/crypto/kms-provider.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';

export const KMS_CREDENTIALS = { accessKeyId: 'kms-key', secretAccessKey: 'kms-secret' };

export interface KmsSession {
  readonly dir: string;
  /** Of the endpoint itself, past the proxy. */
  readonly url: string;
  readonly proxy: FaultProxy;
  /** A provider over the real client, through the proxy. */
  provider(more?: Partial<KmsSettings>): ReturnType<typeof createKmsProvider>;
  /** What an operator does: edits the file of keys. */
  change(edit: (ring: KeyRing) => KeyRing): Promise<void>;
  /** For all keys. */
  setState(state: 'Enabled' | 'Disabled' | 'PendingDeletion'): Promise<void>;
  /** A new version of every key, as KMS's yearly rotation makes it. */
  turn(): Promise<void>;
  /** A new key, which the alias points to from now on. */
  replaceKey(): Promise<void>;
  stop(): Promise<void>;
}

export async function startKmsSession(): Promise<KmsSession> {
  const dir = await mkdtemp(join(tmpdir(), 'riptide-kms-'));
  const endpoint = await startKmsEndpoint({ dir, ...KMS_CREDENTIALS });
  const proxy = await startFaultProxy({ targetPort: endpoint.port });
  const change = async (edit: (ring: KeyRing) => KeyRing) => {
    const ring = await readKeyRing(dir);
    if (ring === null) throw new Error('the endpoint has no keys');
    await writeKeyRing(dir, edit(ring));
  };
  const settings: KmsSettings = {
    kmsKeyId: DEFAULT_ALIAS,
    kmsEndpoint: `http://127.0.0.1:${proxy.port}`,
    region: 'us-east-1',
    requestTimeoutMs: 2000,
  };
  return {
    dir,
    url: endpoint.url,
    proxy,
    provider: (more = {}) => createKmsProvider({ ...settings, ...more }, { credentials: KMS_CREDENTIALS }),
    change,
    setState: (state) => change((ring) => ({ ...ring, keys: ring.keys.map((key) => ({ ...key, state })) })),
    turn: () =>
      change((ring) => ({
        ...ring,
        keys: ring.keys.map((key) => ({ ...key, versions: [...key.versions, newVersion()] })),
      })),
    replaceKey: () =>
      change((ring) => {
        const key = newKey(Date.now());
        return { ...ring, keys: [...ring.keys, key], aliases: { ...ring.aliases, [DEFAULT_ALIAS]: key.id } };
      }),
    async stop() {
      await proxy.stop();
      await endpoint.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
