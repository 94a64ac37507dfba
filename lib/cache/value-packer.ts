import { isUtf8 } from 'node:buffer';
import { pack } from '../blobs/codec.ts';
import type { CacheConfig } from '../config/config.ts';
import { BodyTooLargeError } from '../errors.ts';
import { type EntryBody, type EntryMeta, packBody } from './entry-format.ts';

/** Share of the raw size a packed value may have and still be kept packed. */
const WORTH_IT = 0.9;

export type ValuePacker = ReturnType<typeof createValuePacker>;

/** Chooses how a value stands in Redis: text as it is, other bytes as base64, packed when that saves more than 10 %. */
export function createValuePacker(config: CacheConfig) {
  const algorithm = config.enableCompression ? config.compressionAlgorithm : 'none';
  return {
    /** @throws {BodyTooLargeError} larger than `cache.max_entry_size_bytes`. */
    async pack(value: Uint8Array, meta: EntryMeta): Promise<EntryBody> {
      if (value.length > config.maxEntrySizeBytes) {
        const details = { max_bytes: config.maxEntrySizeBytes };
        throw new BodyTooLargeError(`A cache entry may have ${config.maxEntrySizeBytes} bytes`, { details });
      }
      const text = isUtf8(value);
      const plainLength = text ? value.length : base64Length(value.length);
      const packed = await pack(value, { algorithm, thresholdBytes: config.compressionThresholdBytes });
      if (packed.codec !== 'none' && base64Length(packed.bytes.length) < plainLength * WORTH_IT) {
        return packBody(meta, packed.codec, packed.bytes.toString('base64'), value.length);
      }
      const plain = Buffer.from(value.buffer, value.byteOffset, value.length);
      return text
        ? packBody(meta, 'text', plain.toString('utf8'), value.length)
        : packBody(meta, 'b64', plain.toString('base64'), value.length);
    },
  };
}

const base64Length = (bytes: number) => 4 * Math.ceil(bytes / 3);
