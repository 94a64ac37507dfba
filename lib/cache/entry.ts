import { unpack } from '../blobs/codec.ts';
import type { Compression } from '../config/config.ts';
import { CorruptValueError } from '../errors.ts';
import type { EntryName } from '../keys.ts';
import {
  type BlobRef,
  type EntryCodec,
  type EntryHead,
  type EntryMeta,
  parseEntry,
  parseHead,
  type SealedCodec,
  sealedParts,
} from './entry-format.ts';
import { toPayload } from './large/blob-format.ts';

export interface StoredHead {
  readonly meta: EntryMeta;
  /** Without quotes. */
  readonly etag: string;
  /** Unix ms; null: never. */
  readonly expiresAtMs: number | null;
  /** From then on it is stale, Unix ms; null: it is fresh as long as it lives. */
  readonly freshUntilMs: number | null;
  /** It is past that, and served only because it was asked for so. */
  readonly stale: boolean;
  readonly updatedAtMs: number;
  /** Since it was written. */
  readonly ageMs: number;
  /** Bytes of the value as it was given. */
  readonly rawBytes: number;
  /** What it takes of the tenant's memory: key, metadata and overhead included; of a value in S3 the stub. Absent: not known. */
  readonly memoryBytes?: number;
  /** What the value is packed by. Absent: not known. */
  readonly packedBy?: Compression;
}

export interface StoredEntry extends StoredHead {
  readonly value: Buffer;
}

/**
 * Of a value that is read: above it, what a head says of its length is a lie, and nothing is decompressed. Not the setting alone, for
 * that says what may be written: what was written before it was lowered stays readable.
 */
export const mostRawBytes = ({ maxEntrySizeBytes }: { readonly maxEntrySizeBytes: number }): number =>
  Math.max(maxEntrySizeBytes, 64 * 1024 * 1024);

/** @throws {CorruptValueError} */
export function readHead(text: string, nowMs: number): StoredHead {
  const { head, meta } = parseHead(text);
  return describe(head, meta, nowMs);
}

export interface Reading {
  readonly name: EntryName;
  readonly nowMs: number;
  /** Values longer than this are not believed. */
  readonly maxBytes: number;
  /** Reads the object of a value in S3, checked. @throws {CorruptValueError} @throws {BlobUnavailableError} */
  fetch(blob: BlobRef): Promise<Buffer>;
  /** Opens a sealed payload. @throws {CorruptValueError} it is not what was sealed under these parts. */
  open(payload: string, parts: readonly string[]): Promise<Buffer>;
}

/**
 * The entry: at once when it is neither packed nor sealed.
 * @throws {CorruptValueError} also when the value would be larger than `maxBytes`. @throws what `open` throws.
 */
export function readEntry(text: string, reading: Reading): StoredEntry | Promise<StoredEntry> {
  const { head, meta, metaText, payload } = parseEntry(text);
  const known = describe(head, meta, reading.nowMs);
  if (head.blob !== null) return readLarge(known, { head, blob: head.blob, metaText, reading });
  switch (head.codec) {
    case 'text':
      return { ...known, value: Buffer.from(payload, 'utf8') };
    case 'b64':
      return { ...known, value: Buffer.from(payload, 'base64') };
    case 'lz4':
    case 'zstd':
      return unpackEntry(known, { codec: head.codec, bytes: Buffer.from(payload, 'base64'), ...reading });
    case 'num':
      return { ...known, value: Buffer.from(payload, 'utf8') };
    case 'raw':
      throw new CorruptValueError('The stored entry is packed as only objects in S3 are');
    default:
      return openEntry(known, { payload, codec: head.codec, metaText, reading });
  }
}

/** What packing and sealing may add to a value. */
const MAX_ADDED_BYTES = 1_024;

/** @throws {CorruptValueError} also when the object is not the one the stub names, and unread when it would be too long. */
async function readLarge(
  known: StoredHead,
  { head, blob, metaText, reading }: { head: EntryHead; blob: BlobRef; metaText: string; reading: Reading },
): Promise<StoredEntry> {
  const { codec } = head;
  if (known.rawBytes > reading.maxBytes || blob.bytes > reading.maxBytes + MAX_ADDED_BYTES)
    throw new CorruptValueError('The object of a stored entry says it is longer than values may be');
  const bytes = await reading.fetch(blob);
  if (isSealed(codec)) return openEntry(known, { payload: toPayload(codec, bytes), codec, metaText, reading });
  const plain = codec === 'lz4' || codec === 'zstd' ? codec : 'none';
  return unpackEntry(known, { codec: plain, bytes, ...reading });
}

interface PackedEntry {
  readonly codec: Compression;
  readonly bytes: Buffer;
  readonly maxBytes: number;
}

async function unpackEntry(known: StoredHead, { codec, bytes, maxBytes }: PackedEntry): Promise<StoredEntry> {
  return { ...known, value: await unpack({ codec, bytes, rawBytes: known.rawBytes, maxBytes }) };
}

const isSealed = (codec: EntryCodec): codec is SealedCodec => codec in INSIDE;

const INSIDE: Readonly<Record<SealedCodec, Compression>> = { graw: 'none', glz4: 'lz4', gzstd: 'zstd' };

async function openEntry(
  known: StoredHead,
  {
    payload,
    codec,
    metaText: meta,
    reading,
  }: { payload: string; codec: SealedCodec; metaText: string; reading: Reading },
): Promise<StoredEntry> {
  const parts = sealedParts(reading.name, { codec, rawBytes: known.rawBytes, meta });
  const bytes = await reading.open(payload, parts);
  return unpackEntry(known, { codec: INSIDE[codec], bytes, maxBytes: reading.maxBytes });
}

const describe = (head: EntryHead, meta: EntryMeta, nowMs: number): StoredHead => ({
  meta,
  etag: head.digest,
  expiresAtMs: head.expiresAtMs,
  freshUntilMs: head.freshUntilMs,
  stale: head.freshUntilMs !== null && head.freshUntilMs <= nowMs,
  updatedAtMs: head.updatedAtMs,
  ageMs: Math.max(0, nowMs - head.updatedAtMs),
  rawBytes: head.rawBytes,
  memoryBytes: head.chargedBytes,
  packedBy: packingOf(head.codec),
});

function packingOf(codec: EntryCodec): Compression {
  if (isSealed(codec)) return INSIDE[codec];
  return codec === 'lz4' || codec === 'zstd' ? codec : 'none';
}
