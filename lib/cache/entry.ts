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

/**
 * The entry: at once when it is not packed, else as {@link unpack} gives it.
 * @throws {CorruptValueError} also when the value would be larger than `maxBytes`.
 */
export function readEntry(
  text: string,
  limits: { readonly nowMs: number; readonly maxBytes: number },
): StoredEntry | Promise<StoredEntry> {
  const { head, meta, payload } = parseEntry(text);
  const known = describe(head, meta, limits.nowMs);
  switch (head.codec) {
    case 'text':
      return { ...known, value: Buffer.from(payload, 'utf8') };
    case 'b64':
      return { ...known, value: Buffer.from(payload, 'base64') };
    default:
      return unpackEntry(known, { head, codec: head.codec, payload, maxBytes: limits.maxBytes });
  }
}

async function unpackEntry(
  known: StoredHead,
  { head, codec, payload, maxBytes }: { head: EntryHead; codec: 'lz4' | 'zstd'; payload: string; maxBytes: number },
): Promise<StoredEntry> {
  const bytes = Buffer.from(payload, 'base64');
  return { ...known, value: await unpack({ codec, bytes, rawBytes: head.rawBytes, maxBytes }) };
}

const describe = (head: EntryHead, meta: EntryMeta, nowMs: number): StoredHead => ({
  meta,
  etag: head.digest,
  expiresAtMs: head.expiresAtMs,
  updatedAtMs: head.updatedAtMs,
  ageMs: Math.max(0, nowMs - head.updatedAtMs),
  rawBytes: head.rawBytes,
});
