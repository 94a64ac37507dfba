/**
 * The LZ4 frame format, as far as this service writes it: independent blocks, the content's size in the header, no
 * checksums (the digest of the whole is kept beside it). `lz4 -d` opens one. The reader takes only what the writer writes.
 */
import { CorruptValueError } from '../errors.ts';
import { xxh32OfShort } from './xxh32.ts';

/** One block of a frame, checked but not yet decompressed. */
export interface Lz4Block {
  /** Its size as bytes of content. */
  readonly rawBytes: number;
  /** Compressed, or as it is when that is not smaller. */
  readonly data: Buffer;
  readonly isCompressed: boolean;
}

const MAGIC = 0x184d2204;
/** Version 01, blocks independent, content size present. */
const FLAGS = 0x68;
const HEADER_BYTES = 15;
const CONTENT_BYTES_AT = 6;
const SIZE_BYTES = 4;
const STORED = 0x80000000;
/** The format's four block sizes, by the code in the header. */
const BLOCK_BYTES: ReadonlyMap<number, number> = new Map([4, 5, 6, 7].map((code) => [code, 1 << (8 + 2 * code)]));
/** A block cannot hold more than this many times its own size: a longer claim is a lie. */
const MAX_RATIO = 255;

/** Cuts content into blocks: one, when it fits into the largest size there is (4 MiB). */
export function splitBlocks(content: Buffer): readonly Buffer[] {
  const blockBytes = BLOCK_BYTES.get(blockCode(content.length)) ?? 0;
  const count = Math.ceil(content.length / blockBytes);
  return Array.from({ length: count }, (_, at) => content.subarray(at * blockBytes, (at + 1) * blockBytes));
}

/** What a frame says it holds: to be held against a cap. @throws {CorruptValueError} it is too short to say it. */
export function contentBytesOf(frame: Buffer): number {
  if (frame.length < HEADER_BYTES) throw corrupt('it ends too soon');
  return Number(frame.readBigUInt64LE(CONTENT_BYTES_AT));
}

/** The frame of blocks made by {@link splitBlocks} and then compressed. */
export function joinFrame(contentBytes: number, blocks: readonly Lz4Block[]): Buffer {
  const parts = blocks.flatMap(({ data, isCompressed }) => [
    uint32(isCompressed ? data.length : data.length + STORED),
    data,
  ]);
  return Buffer.concat([frameHeader(contentBytes), ...parts, uint32(0)]);
}

/** A frame of content as it is, not compressed. */
export const frameAsIs = (content: Buffer): Buffer =>
  joinFrame(
    content.length,
    splitBlocks(content).map((data) => ({ rawBytes: data.length, data, isCompressed: false })),
  );

/**
 * Takes a frame apart and checks everything that can be checked without decompressing, so that what follows cannot
 * take more memory than `contentBytes`.
 * @param contentBytes what the frame must hold, exactly; already held against a cap.
 * @throws {CorruptValueError}
 */
export function parseFrame(frame: Buffer, contentBytes: number): readonly Lz4Block[] {
  const header = frameHeader(contentBytes);
  if (!frame.subarray(0, HEADER_BYTES).equals(header)) throw corrupt('it has another header');
  const blockBytes = BLOCK_BYTES.get(blockCode(contentBytes)) ?? 0;
  const blocks: Lz4Block[] = [];
  let at = HEADER_BYTES;
  for (let left = contentBytes; left > 0; ) {
    const block = blockAt(frame, at, Math.min(left, blockBytes));
    blocks.push(block);
    at += SIZE_BYTES + block.data.length;
    left -= block.rawBytes;
  }
  if (frame.length !== at + SIZE_BYTES || frame.readUInt32LE(at) !== 0) throw corrupt('it does not end where it must');
  return blocks;
}

function blockAt(frame: Buffer, at: number, rawBytes: number): Lz4Block {
  if (at + SIZE_BYTES > frame.length) throw corrupt('it ends too soon');
  const word = frame.readUInt32LE(at);
  const isCompressed = word < STORED;
  const sizeBytes = isCompressed ? word : word - STORED;
  const start = at + SIZE_BYTES;
  if (sizeBytes === 0 || start + sizeBytes > frame.length) throw corrupt('a block ends outside of it');
  const isPossible = isCompressed ? sizeBytes < rawBytes && sizeBytes * MAX_RATIO >= rawBytes : sizeBytes === rawBytes;
  if (!isPossible) throw corrupt('a block cannot hold what it says');
  return { rawBytes, data: frame.subarray(start, start + sizeBytes), isCompressed };
}

function frameHeader(contentBytes: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header[4] = FLAGS;
  header[5] = blockCode(contentBytes) << 4;
  header.writeBigUInt64LE(BigInt(contentBytes), CONTENT_BYTES_AT);
  header[14] = (xxh32OfShort(header.subarray(4, 14)) >>> 8) & 0xff;
  return header;
}

/** The smallest block size that holds the content whole, else the largest: a reader reserves that much. */
function blockCode(contentBytes: number): number {
  for (const [code, bytes] of BLOCK_BYTES) if (contentBytes <= bytes) return code;
  return 7;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(SIZE_BYTES);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** A stored LZ4 value is not one. The reason says what, never which bytes. */
export function corrupt(reason: string): CorruptValueError {
  return new CorruptValueError(`The LZ4 frame is damaged: ${reason}`);
}
