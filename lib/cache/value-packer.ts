import { isUtf8 } from 'node:buffer';
import { pack } from '../blobs/codec.ts';
import type { CacheConfig, Compression } from '../config/config.ts';
import type { Seal } from '../crypto/tenant-cipher.ts';
import { BodyTooLargeError } from '../errors.ts';
import type { EntryName } from '../keys.ts';
import { type EntryBody, type EntryMeta, metaText, packBody, sealedParts } from './entry-format.ts';
import { type BlobObject, toObjectBytes } from './large/blob-format.ts';

/** Share of the raw size a packed value may have and still be kept packed. */
const WORTH_IT = 0.9;

export type ValuePacker = ReturnType<typeof createValuePacker>;

/** One value to be stored. */
export interface PlainEntry {
  readonly name: EntryName;
  readonly value: Uint8Array;
  readonly meta: EntryMeta;
}

/** A value, compressed if that pays. */
export interface CompressedEntry extends PlainEntry {
  /** What it was to be packed by. */
  readonly algorithm: Compression;
  /** What it is packed by: `none` where that does not pay. */
  readonly codec: Compression;
  /** The value itself when it is not compressed. */
  readonly bytes: Buffer;
}

const SEALED = { none: 'graw', lz4: 'glz4', zstd: 'gzstd' } as const;

/** Chooses how a value stands in Redis: text as it is, other bytes as base64, packed when that saves more than 10 %. */
export function createValuePacker(config: CacheConfig) {
  return {
    /** @throws {BodyTooLargeError} larger than `cache.max_entry_size_bytes`. */
    requireSize({ length }: Uint8Array): void {
      if (length <= config.maxEntrySizeBytes) return;
      const details = { max_bytes: config.maxEntrySizeBytes };
      throw new BodyTooLargeError(`A cache entry may have ${config.maxEntrySizeBytes} bytes`, { details });
    },

    /** The part that is the same for every data key. */
    async compress({ name, value, meta }: PlainEntry, algorithm: Compression): Promise<CompressedEntry> {
      const { codec, bytes } = await pack(value, { algorithm, thresholdBytes: config.compressionThresholdBytes });
      return { name, value, meta, algorithm, codec, bytes };
    },

    /** The entry as it is stored. @param seal null: it is not encrypted. */
    pack(entry: CompressedEntry, seal: Seal | null): EntryBody {
      return seal === null ? packPlain(entry) : packSealed(entry, seal);
    },

    /** The entry's value as an object in S3. */
    packObject(entry: CompressedEntry, seal: Seal | null): BlobObject {
      const { codec, bytes, value } = entry;
      const rawBytes = value.length;
      if (seal === null) return { codec: codec === 'none' ? 'raw' : codec, bytes, rawBytes };
      const sealed = SEALED[codec];
      return { codec: sealed, bytes: toObjectBytes(sealed, sealText(entry, seal)), rawBytes };
    },
  };
}

const packSealed = (entry: CompressedEntry, seal: Seal): EntryBody =>
  packBody(entry.meta, SEALED[entry.codec], sealText(entry, seal), entry.value.length);

function sealText({ name, value, meta, codec, bytes }: CompressedEntry, seal: Seal): string {
  return seal(bytes, sealedParts(name, { codec: SEALED[codec], rawBytes: value.length, meta: metaText(meta) }));
}

/** Text that would not shrink by more than 10 % beside its base64 stays text. */
function packPlain({ value, meta, codec, bytes }: CompressedEntry): EntryBody {
  const text = isUtf8(value);
  const plainLength = text ? value.length : base64Length(value.length);
  if (codec !== 'none' && base64Length(bytes.length) < plainLength * WORTH_IT) {
    return packBody(meta, codec, bytes.toString('base64'), value.length);
  }
  const plain = Buffer.from(value.buffer, value.byteOffset, value.length);
  return text
    ? packBody(meta, 'text', plain.toString('utf8'), value.length)
    : packBody(meta, 'b64', plain.toString('base64'), value.length);
}

const base64Length = (bytes: number) => 4 * Math.ceil(bytes / 3);
