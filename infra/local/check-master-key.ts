/** Refuses a start with a master key that cannot read what is stored. */
import { readFile } from 'node:fs/promises';
import { createS3Store } from '../../lib/blobs/s3-store.ts';
import { resolveConfig } from '../../lib/config/resolve-config.ts';
import { createKeyProvider } from '../../lib/crypto/create-key-provider.ts';
import { verifyMasterKey } from '../../lib/crypto/master-key-check.ts';
import { ConfigError, LocalServiceError, MasterKeyMismatchError } from '../../lib/errors.ts';

/**
 * Asks before the functions are loaded. A configuration that cannot be used stops nothing here: each function tells of it.
 * @param environment what the functions will run with.
 * @throws {LocalServiceError} the master key is another one, or its file cannot be used.
 */
export async function checkMasterKey(environment: NodeJS.ProcessEnv, onNotice: (text: string) => void): Promise<void> {
  const { config } = await resolveConfig({ env: environment, readFile: (path) => readFile(path, 'utf8') });
  const provider = config === undefined ? null : await createKeyProvider(config.encryption);
  if (config === undefined || provider === null) return;
  const state = await verifyMasterKey({ provider, blobs: createS3Store(config.blobs) }).catch((error: unknown) => {
    const isTold = error instanceof MasterKeyMismatchError || error instanceof ConfigError;
    throw isTold ? new LocalServiceError(error.message, { cause: error }) : error;
  });
  if (state === 'unknown') onNotice('The master key was not checked: S3 or the key provider cannot be reached');
  if (state === 'refused')
    onNotice('The key provider refuses the master key: encrypted values cannot be read or written');
}
