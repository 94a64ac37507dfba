import { unpack } from '../blobs/codec.ts';
import { type EntryHead, type EntryMeta, parseEntry, parseHead } from './entry-format.ts';

export interface StoredHead {
  readonly meta: EntryMeta;
  /** Without quotes. */
  readonly etag: string;
  /** Unix ms; null: never. */
  readonly expiresAtMs: number | null;
  readonly updatedAtMs: number;
  /** Since it was written. */
  readonly ageMs: number;
  /** Bytes of the value as it was given. */
  readonly rawBytes: number;
}

export interface StoredEntry extends StoredHead {
  readonly value: Buffer;
}

/** @throws {CorruptValueError} */
export function readHead(text: string, nowMs: number): StoredHead {
  const { head, meta } = parseHead(text);
  return describe(head, meta, nowMs);
}

/** @throws {CorruptValueError} also when the value would be larger than `maxBytes`. */
export async function readEntry(
  text: string,
  limits: { readonly nowMs: number; readonly maxBytes: number },
): Promise<StoredEntry> {
  const { head, meta, payload } = parseEntry(text);
  const known = describe(head, meta, limits.nowMs);
  switch (head.codec) {
    case 'text':
      return { ...known, value: Buffer.from(payload, 'utf8') };
    case 'b64':
      return { ...known, value: Buffer.from(payload, 'base64') };
    default: {
      const bytes = Buffer.from(payload, 'base64');
      const { rawBytes } = head;
      return { ...known, value: await unpack({ codec: head.codec, bytes, rawBytes, maxBytes: limits.maxBytes }) };
    }
  }
}

const describe = (head: EntryHead, meta: EntryMeta, nowMs: number): StoredHead => ({
  meta,
  etag: head.digest,
  expiresAtMs: head.expiresAtMs,
  updatedAtMs: head.updatedAtMs,
  ageMs: Math.max(0, nowMs - head.updatedAtMs),
  rawBytes: head.rawBytes,
});
