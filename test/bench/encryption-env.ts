/** What encryption stands on: a master key in a file, and a bucket for the tenants' wrapped keys. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMasterKeyFile } from '../../lib/crypto/make-master-key.ts';
import { startBucket } from './bucket-env.ts';

/** Starts the bucket and makes the key. @returns settings to lay over those of the bench; with `parts` all of it is gone. */
export async function startEncryption(parts: AsyncDisposableStack): Promise<Readonly<Record<string, string>>> {
  const dir = await mkdtemp(join(tmpdir(), 'riptide-bench-keys-'));
  parts.defer(() => rm(dir, { recursive: true, force: true }));
  const masterKeys = join(dir, 'master-keys');
  await createMasterKeyFile(masterKeys, 'bench');
  return { ...(await startBucket(parts)), PERSISTENCE_ENCRYPTION_MASTER_KEY_FILE: masterKeys };
}
