import type { ZstdOptions } from 'node:zlib';
import { CorruptValueError } from '../errors.ts';

/**
 * What a reader reserves before the first byte, at most: 8 MiB. Level 3 writes windows of up to 2 MiB; a frame that
 * asks for more is not ours.
 */
const MAX_WINDOW_LOG = 23;

let loaded: ReturnType<typeof loadZstd> | undefined;

/** Zstandard of Node, taken when it is first needed: importing it is 5 ms of a cold start, and most values are LZ4 or plain. */
const zstd = () => {
  loaded ??= loadZstd();
  return loaded;
};

function loadZstd() {
  const { constants, zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } =
    process.getBuiltinModule('node:zlib');
  const { promisify } = process.getBuiltinModule('node:util');
  return {
    compress: zstdCompressSync,
    compressInThread: promisify<Buffer, ZstdOptions, Buffer>(zstdCompress),
    decompress: zstdDecompressSync,
    decompressInThread: promisify<Buffer, ZstdOptions, Buffer>(zstdDecompress),
    compressing: { params: { [constants.ZSTD_c_compressionLevel]: 3 } },
    maxWindow: { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG },
  };
}

/** Zstandard at level 3, blocking the event loop. */
export const compressZstd = (content: Buffer): Buffer => zstd().compress(content, zstd().compressing);

/** The same in libuv's threads. */
export const compressZstdInThread = (content: Buffer): Promise<Buffer> =>
  zstd().compressInThread(content, zstd().compressing);

/** Undoes it, blocking the event loop. @throws {CorruptValueError} it does not hold exactly `contentBytes` bytes. */
export function decompressZstd(frame: Buffer, contentBytes: number): Buffer {
  try {
    return exact(zstd().decompress(frame, decompressing(contentBytes)), contentBytes);
  } catch (error) {
    throw corrupt(error);
  }
}

/** The same in libuv's threads. */
export async function decompressZstdInThread(frame: Buffer, contentBytes: number): Promise<Buffer> {
  try {
    return exact(await zstd().decompressInThread(frame, decompressing(contentBytes)), contentBytes);
  } catch (error) {
    throw corrupt(error);
  }
}

/** Stops a bomb at the length it should have had. */
const decompressing = (contentBytes: number): ZstdOptions => ({
  maxOutputLength: contentBytes,
  params: zstd().maxWindow,
});

function exact(content: Buffer, contentBytes: number): Buffer {
  if (content.length !== contentBytes) throw new RangeError('other length');
  return content;
}

const corrupt = (cause: unknown) => new CorruptValueError('The Zstandard frame is damaged', { cause });
