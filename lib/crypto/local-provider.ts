import { type KeyObject, randomBytes } from 'node:crypto';
import { CorruptValueError, KeyRefusedError } from '../errors.ts';
import { aadOf } from './aad.ts';
import { openBytes, sealBytes } from './aes-gcm.ts';
import type { KeyContext, KeyProvider, WrappedKey } from './key-provider.ts';
import { readMasterKeys } from './master-key-file.ts';

const KEY_BYTES = 32;

/**
 * Master keys in a file: for one machine without KMS. Whoever has a copy of the file and of the data reads everything, so the
 * two are not backed up together. Nothing is read before the first call.
 * @param config.masterKeyFile absolute, or from the working directory.
 */
export function createLocalProvider(config: { readonly masterKeyFile: string }): KeyProvider {
  const keys = () => readMasterKeys(config.masterKeyFile);

  async function wrap(plaintext: Uint8Array, context: KeyContext): Promise<WrappedKey> {
    const { currentId, byId } = await keys();
    const sealed = sealBytes(byId.get(currentId) as KeyObject, aadFor(currentId, context), plaintext);
    return { wrapped: sealed.toString('base64'), keyId: currentId };
  }

  return {
    kind: 'local',

    async generate(context) {
      const plaintext = randomBytes(KEY_BYTES);
      return { plaintext, ...(await wrap(plaintext, context)) };
    },

    async unwrap({ wrapped, keyId }, context) {
      const master = (await keys()).byId.get(keyId);
      if (master === undefined) {
        throw new KeyRefusedError('unknown_key', 'Key provider: the file of master keys has no key of that id');
      }
      try {
        return openBytes(master, aadFor(keyId, context), Buffer.from(wrapped, 'base64'));
      } catch (error) {
        if (!(error instanceof CorruptValueError)) throw error;
        throw new KeyRefusedError(
          'wrong_key',
          'Key provider: this key was not wrapped by that master key for this tenant, or it is damaged',
        );
      }
    },

    wrap,

    currentKeyId: async () => (await keys()).currentId,
  };
}

const aadFor = (keyId: string, { tenant, purpose }: KeyContext): Buffer =>
  aadOf([tenant, 'master-key', keyId, purpose]);
