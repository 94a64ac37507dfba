/**
 * What an object in S3 that has a cache entry's value consists of. Pure.
 *
 *   raw, text, num, b64   the value's bytes
 *   lz4, zstd             one frame: `lz4 -d` and `zstd -d` open it
 *   graw, glz4, gzstd     `<version of the data key>.`, then nonce 12 | tag 16 | ciphertext
 *
 * Nothing is lost on the way: a payload moved to S3 and back is the same text.
 */
import { CorruptValueError } from '../../errors.ts';
import type { EntryCodec } from '../entry-format.ts';

/** As it is stored in S3. */
export interface BlobObject {
  readonly codec: EntryCodec;
  readonly bytes: Buffer;
  /** Of the value. */
  readonly rawBytes: number;
}

/** Bytes in front of the first dot, itself included. */
const MAX_VERSION_BYTES = 10;

/** The object of an entry's payload. */
export function toObjectBytes(codec: EntryCodec, payload: string): Buffer {
  switch (codec) {
    case 'raw':
      throw new TypeError('Only objects are raw');
    case 'text':
    case 'num':
      return Buffer.from(payload, 'utf8');
    case 'b64':
    case 'lz4':
    case 'zstd':
      return Buffer.from(payload, 'base64');
    default: {
      const at = payload.indexOf('.') + 1;
      return Buffer.concat([Buffer.from(payload.slice(0, at)), Buffer.from(payload.slice(at), 'base64')]);
    }
  }
}

/** Undoes {@link toObjectBytes}; raw bytes are given as `b64`. @throws {CorruptValueError} a sealed one without its version. */
export function toPayload(codec: EntryCodec, bytes: Buffer): string {
  switch (codec) {
    case 'text':
    case 'num':
      return bytes.toString('utf8');
    case 'raw':
    case 'b64':
    case 'lz4':
    case 'zstd':
      return bytes.toString('base64');
    default: {
      const at = bytes.subarray(0, MAX_VERSION_BYTES).indexOf('.') + 1;
      if (at === 0) throw new CorruptValueError('A sealed object does not name its key');
      return bytes.toString('latin1', 0, at) + bytes.toString('base64', at);
    }
  }
}
