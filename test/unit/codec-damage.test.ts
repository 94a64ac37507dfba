import { Readable } from 'node:stream';
import { constants, createZstdCompress, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digest, type Packed, pack, unpack } from '../../lib/blobs/codec.ts';
import { loadLz4 } from '../../lib/blobs/lz4.ts';
import { joinFrame } from '../../lib/blobs/lz4-frame.ts';
import { CorruptValueError } from '../../lib/errors.ts';
import { packText, textOf } from './codec-samples.ts';

const MEBIBYTE = 1024 * 1024;
const algorithms = ['none', 'lz4', 'zstd'] as const;
const compressing = ['lz4', 'zstd'] as const;

/** What a reader does: digest first, then unpack. Resolves to the payload, or to the error. */
const read = async (packed: Packed, expected: string, maxBytes = 20 * MEBIBYTE): Promise<Buffer | Error> => {
  if (digest(packed.bytes) !== expected) return new CorruptValueError('digest');
  try {
    return await unpack({ ...packed, maxBytes });
  } catch (error) {
    return error as Error;
  }
};

describe('reading what was damaged [C1]', () => {
  it.each(compressing)('notices every flipped bit of a 4 KB sample, packed with %s', async (algorithm) => {
    const packed = await packText(algorithm, 4096);
    const expected = digest(packed.bytes);
    for (let bit = 0; bit < packed.bytes.length * 8; bit += 1) {
      const bytes = Buffer.from(packed.bytes);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(await read({ ...packed, bytes }, expected)).toBeInstanceOf(CorruptValueError);
    }
  });

  it.each(compressing)(
    'gives an error or that many bytes, for every flipped bit, even without the digest: %s',
    async (algorithm) => {
      const packed = await packText(algorithm, 4096);
      for (let bit = 0; bit < packed.bytes.length * 8; bit += 1) {
        const bytes = Buffer.from(packed.bytes);
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const outcome = await read({ ...packed, bytes }, digest(bytes));
        if (outcome instanceof Error) expect(outcome).toBeInstanceOf(CorruptValueError);
        else expect(outcome.length).toBe(4096);
      }
    },
  );

  it.each(compressing)('refuses every truncation and every appended byte, packed with %s', async (algorithm) => {
    const packed = await packText(algorithm, 4096);
    for (let length = 0; length < packed.bytes.length; length += 1) {
      const bytes = packed.bytes.subarray(0, length);
      expect(await read({ ...packed, bytes }, digest(bytes))).toBeInstanceOf(CorruptValueError);
    }
    const longer = Buffer.concat([packed.bytes, Buffer.of(0)]);
    expect(await read({ ...packed, bytes: longer }, digest(packed.bytes))).toBeInstanceOf(CorruptValueError);
  });

  it.each(algorithms)('refuses a wrong length, and one above the cap, with %s', async (algorithm) => {
    const packed = await pack(textOf(4096), { algorithm, thresholdBytes: 0 });
    for (const rawBytes of [0, 1, 4095, 4097, -1, 1.5, Number.NaN, Number.MAX_SAFE_INTEGER, 2 ** 53]) {
      expect(await read({ ...packed, rawBytes }, digest(packed.bytes))).toBeInstanceOf(CorruptValueError);
    }
    expect(await read(packed, digest(packed.bytes), 4095)).toBeInstanceOf(CorruptValueError);
    expect(await read(packed, digest(packed.bytes), 4096)).toEqual(textOf(4096));
  });

  it('never takes bytes of one codec for those of another', async () => {
    const packed = await packText('lz4', 4096);
    for (const codec of ['none', 'zstd', 'gzip'] as Packed['codec'][]) {
      expect(await read({ ...packed, codec }, digest(packed.bytes))).toBeInstanceOf(CorruptValueError);
    }
  });

  it('never throws anything but the one error, whatever the bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.nat(5000),
        fc.constantFrom(...compressing),
        async (bytes, rawBytes, codec) => {
          const outcome = await read({ codec, bytes: Buffer.from(bytes), rawBytes }, digest(bytes));
          if (outcome instanceof Error) expect(outcome).toBeInstanceOf(CorruptValueError);
          else expect(outcome.length).toBe(rawBytes);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('bombs', () => {
  const peakGrowth = async (work: () => Promise<unknown>): Promise<number> => {
    const before = process.resourceUsage().maxRSS;
    await work();
    return (process.resourceUsage().maxRSS - before) * 1024;
  };

  it('takes no memory for a frame whose few bytes claim gigabytes', async () => {
    const small = await packText('lz4', 4096);
    const growth = await peakGrowth(async () => {
      for (const claim of [2 ** 31 - 1, 2 ** 32 - 1, 4 * 2 ** 30]) {
        const bytes = Buffer.from(small.bytes);
        bytes.writeBigUInt64LE(BigInt(claim), 6);
        expect(await read({ codec: 'lz4', bytes, rawBytes: claim }, digest(bytes), 2 ** 40)).toBeInstanceOf(
          CorruptValueError,
        );
        expect(await read({ codec: 'lz4', bytes, rawBytes: 4096 }, digest(bytes))).toBeInstanceOf(CorruptValueError);
      }
    });
    expect(growth).toBeLessThan(64 * MEBIBYTE);
  });

  it('stops an LZ4 block that unpacks to more than it says', async () => {
    const zeros = (await loadLz4()).compress(Buffer.alloc(4 * MEBIBYTE));
    const block = zeros.subarray(19, -4);
    for (const rawBytes of [block.length + 1, 100_000, 1_000_000]) {
      const bytes = joinFrame(rawBytes, [{ rawBytes, data: block, isCompressed: true }]);
      expect(await read({ codec: 'lz4', bytes, rawBytes }, digest(bytes))).toBeInstanceOf(CorruptValueError);
    }
  });

  it('stops a Zstandard frame that unpacks to more than it says, and takes no memory for it', async () => {
    const bytes = await zstdBomb(400);
    expect(bytes.length).toBeLessThan(MEBIBYTE);
    const growth = await peakGrowth(async () => {
      for (const rawBytes of [10, 5000, 150_000]) {
        expect(await read({ codec: 'zstd', bytes, rawBytes }, digest(bytes))).toBeInstanceOf(CorruptValueError);
      }
    });
    expect(growth).toBeLessThan(64 * MEBIBYTE);
  });

  it('refuses a Zstandard frame that asks for a larger window than ours have', async () => {
    const payload = textOf(9 * MEBIBYTE);
    const wide = zstdCompressSync(payload, { params: { [constants.ZSTD_c_windowLog]: 26 } });
    expect(await read({ codec: 'zstd', bytes: wide, rawBytes: payload.length }, digest(wide))).toBeInstanceOf(
      CorruptValueError,
    );
  });
});

/** A frame of that many mebibytes of zeros, made without holding them. */
async function zstdBomb(mebibytes: number): Promise<Buffer> {
  const zeros = Buffer.alloc(MEBIBYTE);
  const stream = Readable.from(Array.from({ length: mebibytes }, () => zeros)).pipe(createZstdCompress());
  return Buffer.concat(await stream.toArray());
}
