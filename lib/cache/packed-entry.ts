/** An entry as it is stored: packed and sealed; in S3 when that is too large for Redis. */
import type { CacheConfig } from '../config/config.ts';
import type { TenantCipher } from '../crypto/tenant-cipher.ts';
import type { Caller } from '../gate/caller.ts';
import type { TenantContext } from '../gate/context-format.ts';
import type { EntryName } from '../keys.ts';
import { type EntryBody, type EntryMeta, packStub } from './entry-format.ts';
import type { BlobObject } from './large/blob-format.ts';
import type { BlobValues, WrittenBlob } from './large/blob-values.ts';
import { settingsFor } from './namespace-settings.ts';
import type { CompressedEntry, ValuePacker } from './value-packer.ts';

/** What set-cache-entry is given of it. */
export interface PackedEntry {
  readonly body: EntryBody;
  /** As the script takes them: `-` and 0 of a value that stands in Redis. */
  readonly blob: string;
  readonly blobUntil: number;
  /** Of the value, wherever it stands. */
  readonly storedBytes: number;
}

export interface EntryToPack {
  readonly value: Uint8Array;
  readonly meta: EntryMeta;
}

export interface PackingDeps {
  readonly config: CacheConfig;
  readonly packer: ValuePacker;
  readonly cipher: Pick<TenantCipher, 'sealer'>;
  readonly blobValues: Pick<BlobValues, 'begin' | 'put'>;
}

/**
 * Packs and seals, and writes what goes to S3, once for a context: so it is the same again after a lost reply.
 * @throws {BlobUnavailableError} it is too large for Redis, and S3 does not take it. @throws as the gate and the cipher.
 */
export function packOnce({ config, packer, cipher, blobValues }: PackingDeps) {
  const storeLarge = async (caller: Caller, name: EntryName, meta: EntryMeta, object: BlobObject) => {
    const slot = await blobValues.begin(caller, name, { bytes: object.bytes.length, metered: false });
    return stubOf(meta, object, await blobValues.put(caller.tenantId, slot, object, caller.signal));
  };

  const packNow = async (caller: Caller, entry: CompressedEntry, context: TenantContext): Promise<PackedEntry> => {
    const seal = await cipher.sealer(caller.tenantId, context);
    if (entry.bytes.length <= config.inlineMaxBytes) {
      const body = packer.pack(entry, seal);
      const storedBytes = payloadBytes(body);
      if (storedBytes <= config.inlineMaxBytes) return { body, blob: '-', blobUntil: 0, storedBytes };
    }
    return storeLarge(caller, entry.name, entry.meta, packer.packObject(entry, seal));
  };

  return (caller: Caller, name: EntryName, entry: EntryToPack) => {
    let last: { readonly version: string; readonly packed: PackedEntry } | undefined;
    let compressed: CompressedEntry | undefined;
    return async (context: TenantContext): Promise<PackedEntry> => {
      if (last?.version !== context.version) {
        const algorithm = settingsFor(context, config, name.namespace).compression;
        if (compressed?.algorithm !== algorithm) compressed = await packer.compress({ name, ...entry }, algorithm);
        last = { version: context.version, packed: await packNow(caller, compressed, context) };
      }
      return last.packed;
    };
  };
}

/** Without a look at them: text is as long as its value, and all else is ASCII. */
const payloadBytes = ({ codec, rawBytes, body, metaBytes }: EntryBody): number =>
  codec === 'text' ? rawBytes : body.length - metaBytes;

/** The stub of an object that was written. */
export function stubOf(meta: EntryMeta, { codec, rawBytes }: BlobObject, { ref, untilMs }: WrittenBlob): PackedEntry {
  const body = packStub(meta, { codec, rawBytes, sha256: ref.sha256 });
  return { body, blob: `${ref.ulid}.${ref.bytes}`, blobUntil: untilMs, storedBytes: ref.bytes };
}
