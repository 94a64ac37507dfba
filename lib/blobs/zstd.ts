import { promisify } from 'node:util';
import {
  constants,
  type ZstdOptions,
  zstdCompress,
  zstdCompressSync,
  zstdDecompress,
  zstdDecompressSync,
} from 'node:zlib';
import { CorruptValueError } from '../errors.ts';

/**
 * What a reader reserves before the first byte, at most: 8 MiB. Level 3 writes windows of up to 2 MiB; a frame that
 * asks for more is not ours.
 */
const MAX_WINDOW_LOG = 23;
const compressing: ZstdOptions = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };
const compressAsync = promisify<Buffer, ZstdOptions, Buffer>(zstdCompress);
const decompressAsync = promisify<Buffer, ZstdOptions, Buffer>(zstdDecompress);

/** Zstandard at level 3, blocking the event loop. */
export const compressZstd = (content: Buffer): Buffer => zstdCompressSync(content, compressing);

/** The same in libuv's threads. */
export const compressZstdInThread = (content: Buffer): Promise<Buffer> => compressAsync(content, compressing);

/** Undoes it, blocking the event loop. @throws {CorruptValueError} it does not hold exactly `contentBytes` bytes. */
export function decompressZstd(frame: Buffer, contentBytes: number): Buffer {
  try {
    return exact(zstdDecompressSync(frame, decompressing(contentBytes)), contentBytes);
  } catch (error) {
    throw corrupt(error);
  }
}

/** The same in libuv's threads. */
export async function decompressZstdInThread(frame: Buffer, contentBytes: number): Promise<Buffer> {
  try {
    return exact(await decompressAsync(frame, decompressing(contentBytes)), contentBytes);
  } catch (error) {
    throw corrupt(error);
  }
}

/** Stops a bomb at the length it should have had. */
const decompressing = (contentBytes: number): ZstdOptions => ({
  maxOutputLength: contentBytes,
  params: { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG },
});

function exact(content: Buffer, contentBytes: number): Buffer {
  if (content.length !== contentBytes) throw new RangeError('other length');
  return content;
}

const corrupt = (cause: unknown) => new CorruptValueError('The Zstandard frame is damaged', { cause });
