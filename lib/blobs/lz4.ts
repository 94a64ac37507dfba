import { setImmediate } from 'node:timers/promises';
import { corrupt, joinFrame, type Lz4Block, parseFrame, splitBlocks } from './lz4-frame.ts';

/** lz4-napi's blocks: the raw size as four bytes, little end first, then the block. */
interface Lz4Library {
  compressSync(data: Buffer): Buffer;
  uncompressSync(data: Buffer): Buffer;
  compress(data: Buffer): Promise<Buffer>;
}

const PREFIX_BYTES = 4;

/**
 * LZ4, loaded. `compress` and `decompress` block the event loop. There is no decompressing in a thread: the library's own never
 * frees what it made (lz4-napi 2.10.0: every 4 MiB block stays), while a block takes 4 ms at most.
 */
export interface Lz4 {
  /** The frame of a content that is not empty. */
  compress(content: Buffer): Buffer;
  compressInThread(content: Buffer): Promise<Buffer>;
  /**
   * Lets the event loop run before each block, which takes some ms at most. For one frame after the other: the library's threads keep
   * what they made, up to 1 GB of 4 MiB blocks that do not pack (lz4-napi 2.10.0), while this stays below 250 MB.
   */
  compressInTurns(content: Buffer): Promise<Buffer>;
  /** @throws {CorruptValueError} it is not the frame of exactly `contentBytes` bytes. */
  decompress(frame: Buffer, contentBytes: number): Buffer;
  /** Lets the event loop run before each block. */
  decompressInTurns(frame: Buffer, contentBytes: number): Promise<Buffer>;
}

let loaded: Lz4 | undefined;

/** The native library, loaded by the first call (4 ms): a promise then, the thing itself from then on. */
export function loadLz4(): Lz4 | Promise<Lz4> {
  return loaded ?? importLz4();
}

async function importLz4(): Promise<Lz4> {
  const { default: library } = await import('lz4-napi');
  loaded ??= createLz4(library);
  return loaded;
}

function createLz4(library: Lz4Library): Lz4 {
  return {
    compress(content) {
      const blocks = splitBlocks(content).map((raw) => blockOf(raw, library.compressSync(raw)));
      return joinFrame(content.length, blocks);
    },
    async compressInThread(content) {
      const blocks: Lz4Block[] = [];
      for (const raw of splitBlocks(content)) blocks.push(blockOf(raw, await library.compress(raw)));
      return joinFrame(content.length, blocks);
    },
    async compressInTurns(content) {
      const blocks: Lz4Block[] = [];
      for (const raw of splitBlocks(content)) {
        await setImmediate();
        blocks.push(blockOf(raw, library.compressSync(raw)));
      }
      return joinFrame(content.length, blocks);
    },
    decompress(frame, contentBytes) {
      return joinContent(parseFrame(frame, contentBytes).map((block) => contentOf(library, block)));
    },
    async decompressInTurns(frame, contentBytes) {
      const contents: Buffer[] = [];
      for (const block of parseFrame(frame, contentBytes)) {
        await setImmediate();
        contents.push(contentOf(library, block));
      }
      return joinContent(contents);
    },
  };
}

function blockOf(raw: Buffer, sizedBlock: Buffer): Lz4Block {
  const data = sizedBlock.subarray(PREFIX_BYTES);
  const isCompressed = data.length < raw.length;
  return { rawBytes: raw.length, data: isCompressed ? data : raw, isCompressed };
}

/**
 * Decompresses a block where it stands in its frame: the four bytes before it, which say its length there, say meanwhile what the
 * library wants, and are put back. A copy would cost as much again. The library reserves as much as they say: the frame was
 * checked against the cap.
 */
function uncompressInFrame(library: Lz4Library, { rawBytes, data }: Lz4Block): Buffer {
  const sized = Buffer.from(data.buffer, data.byteOffset - PREFIX_BYTES, PREFIX_BYTES + data.length);
  const lent = sized.readUInt32LE();
  sized.writeUInt32LE(rawBytes);
  try {
    return library.uncompressSync(sized);
  } finally {
    sized.writeUInt32LE(lent);
  }
}

function contentOf(library: Lz4Library, block: Lz4Block): Buffer {
  if (!block.isCompressed) return block.data;
  const content = attempt(() => uncompressInFrame(library, block));
  if (content.length !== block.rawBytes) throw corrupt('a block is not as long as it says');
  return content;
}

function joinContent(contents: readonly Buffer[]): Buffer {
  const [first] = contents;
  return contents.length === 1 && first !== undefined ? first : Buffer.concat(contents);
}

function attempt(decompress: () => Buffer): Buffer {
  try {
    return decompress();
  } catch {
    throw corrupt('a block cannot be decompressed');
  }
}
