/** Seals and opens values under the data keys of a tenant, as its context names them. */
import { CorruptValueError, EncryptionUnavailableError } from '../errors.ts';
import type { ContextData, KeyRef } from '../gate/context-format.ts';
import type { TenantId } from '../ids.ts';
import { aadOf } from './aad.ts';
import type { DataKeys } from './data-keys.ts';
import { open, seal } from './envelope.ts';
import type { TenantKeys } from './tenant-keys.ts';

export type TenantCipher = ReturnType<typeof createTenantCipher>;

/** Seals one value. `parts`: what it is bound to besides the tenant: its kind, its name, and what is said of it. */
export type Seal = (plaintext: Uint8Array, parts: readonly string[]) => string;

export function createTenantCipher(deps: {
  /** Null: no key provider is configured. */
  readonly dataKeys: DataKeys | null;
  readonly tenantKeys: Pick<TenantKeys, 'find'>;
}) {
  const { dataKeys, tenantKeys } = deps;

  const keyOf = async (id: TenantId, { version }: KeyRef) => {
    if (dataKeys === null) throw new EncryptionUnavailableError();
    return dataKeys.get(id, { version, load: () => tenantKeys.find(id, version) });
  };

  return {
    /**
     * What seals the tenant's new values; null when they are not encrypted.
     * @throws {KeyProviderUnavailableError | KeyRefusedError | EncryptionUnavailableError} the key cannot be had.
     */
    async sealer(id: TenantId, { keys, data_key }: ContextData): Promise<Seal | null> {
      if (data_key === 0) return null;
      const current = keys.find(({ version }) => version === data_key);
      if (current === undefined) throw new CorruptValueError('The tenant names a data key that it does not have');
      const key = await keyOf(id, current);
      return (plaintext, parts) => seal({ key, version: data_key, aad: aadOf([id, ...parts]), plaintext });
    },

    /**
     * Opens what {@link sealer} sealed under the same parts.
     * @throws {CorruptValueError} it is not what was sealed under these parts. @throws as `sealer`.
     */
    async open(id: TenantId, { keys }: ContextData, text: string, parts: readonly string[]): Promise<Buffer> {
      const find = (version: number) => keys.find((key) => key.version === version);
      return open({
        text,
        aad: aadOf([id, ...parts]),
        keyOf: (version) => {
          const key = find(version);
          return key === undefined ? undefined : keyOf(id, key);
        },
      });
    },
  };
}
