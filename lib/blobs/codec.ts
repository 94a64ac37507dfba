/**
 * How payloads are packed before they are stored, in Redis and in S3. Every stored value names its codec, so settings
 * may change under live data. Nothing here trusts what it reads: callers check the digest first, and unpack never
 * takes more memory than the cap, whatever the bytes say.
 */
import { hash } from 'node:crypto';
import type { Compression } from '../config/config.ts';
import { CorruptValueError } from '../errors.ts';
import { type Lz4, loadLz4 } from './lz4.ts';
import { compressZstd, compressZstdInThread, decompressZstd, decompressZstdInThread } from './zstd.ts';

/** A payload as it is stored. */
export interface Packed {
  readonly codec: Compression;
  readonly bytes: Buffer;
  /** Bytes of the payload itself. */
  readonly rawBytes: number;
}

export interface PackOptions {
  readonly algorithm: Compression;
  /** Payloads of this size or smaller are stored as they are. Bytes. */
  readonly thresholdBytes: number;
}

/** Up to here work is done at once; above, a thread costs less than the event loop standing still. */
const IN_THREAD_ABOVE_BYTES = 100 * 1024;
/** 22 characters of base64url: 132 bits of the digest. */
const DIGEST_CHARACTERS = 22;

/**
 * Packs a payload. Compression is kept only when the payload is larger than the threshold and more than 10 % is saved.
 * @param payload not changed; when stored as it is, `bytes` is a view of it, no copy.
 * @returns at once for up to 100 KiB (but for the first LZ4 of a process, which loads the library), else a promise.
 */
export function pack(payload: Uint8Array, { algorithm, thresholdBytes }: PackOptions): Packed | Promise<Packed> {
  const raw = asBuffer(payload);
  if (algorithm === 'none' || raw.length === 0 || raw.length <= thresholdBytes) return stored(raw);
  const compressed = algorithm === 'lz4' ? whenLoaded((lz4) => packLz4(lz4, raw)) : packZstd(raw);
  return then(compressed, (bytes) => worthwhile(raw, bytes, algorithm));
}

/**
 * Undoes {@link pack}. Check {@link digest} first: a codec alone does not notice every change.
 * @param maxBytes the largest payload to accept; held against the declared length before anything is decompressed.
 * @returns exactly `rawBytes` bytes; for `none` a view of `bytes`. At once or as a promise, as with `pack`.
 * @throws {CorruptValueError} the bytes are not a packed payload of exactly this length, or it is above the cap.
 */
export function unpack(packed: Packed & { readonly maxBytes: number }): Buffer | Promise<Buffer> {
  const { codec, bytes, rawBytes, maxBytes } = packed;
  if (!Number.isSafeInteger(rawBytes) || rawBytes < 0)
    throw new CorruptValueError('A stored value has no usable length');
  if (rawBytes > maxBytes) throw new CorruptValueError('A stored value says it is longer than values may be');
  if (codec === 'none') return exactly(bytes, rawBytes);
  if (rawBytes === 0) throw new CorruptValueError('A stored value is compressed, and empty');
  if (codec === 'lz4') return whenLoaded((lz4) => unpackLz4(lz4, bytes, rawBytes));
  if (codec === 'zstd')
    return isShort(rawBytes) ? decompressZstd(bytes, rawBytes) : decompressZstdInThread(bytes, rawBytes);
  throw new CorruptValueError('A stored value names a codec that does not exist');
}

/** SHA-256 of packed bytes: 22 characters of base64url, 132 bits. */
export function digest(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'base64url').slice(0, DIGEST_CHARACTERS);
}

const stored = (raw: Buffer): Packed => ({ codec: 'none', bytes: raw, rawBytes: raw.length });

const isShort = (rawBytes: number) => rawBytes <= IN_THREAD_ABOVE_BYTES;

function worthwhile(raw: Buffer, bytes: Buffer, codec: Compression): Packed {
  const savesEnough = bytes.length * 10 < raw.length * 9;
  return savesEnough ? { codec, bytes, rawBytes: raw.length } : stored(raw);
}

function packLz4(lz4: Lz4, raw: Buffer): Buffer | Promise<Buffer> {
  return isShort(raw.length) ? lz4.compress(raw) : lz4.compressInThread(raw);
}

function packZstd(raw: Buffer): Buffer | Promise<Buffer> {
  return isShort(raw.length) ? compressZstd(raw) : compressZstdInThread(raw);
}

function unpackLz4(lz4: Lz4, bytes: Buffer, rawBytes: number): Buffer | Promise<Buffer> {
  return isShort(rawBytes) ? lz4.decompress(bytes, rawBytes) : lz4.decompressInTurns(bytes, rawBytes);
}

function exactly(bytes: Buffer, rawBytes: number): Buffer {
  if (bytes.length !== rawBytes) throw new CorruptValueError('A stored value is not as long as it says');
  return bytes;
}

const asBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Small values skip the promise: an await costs more than packing them does. */
function then<From, To>(value: From | Promise<From>, next: (value: From) => To): To | Promise<To> {
  return value instanceof Promise ? value.then(next) : next(value);
}

function whenLoaded(work: (lz4: Lz4) => Buffer | Promise<Buffer>): Buffer | Promise<Buffer> {
  const lz4 = loadLz4();
  return lz4 instanceof Promise ? lz4.then(work) : work(lz4);
}
