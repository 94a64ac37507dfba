import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { constants, createZstdCompress, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digest, type Packed, pack, unpack } from '../../lib/blobs/codec.ts';
import { loadLz4 } from '../../lib/blobs/lz4.ts';
import { joinFrame } from '../../lib/blobs/lz4-frame.ts';
import { CorruptValueError } from '../../lib/errors.ts';

const MEBIBYTE = 1024 * 1024;
const algorithms = ['none', 'lz4', 'zstd'] as const;
const compressing = ['lz4', 'zstd'] as const;

/** Text that compresses as documents do. */
const textOf = (sizeBytes: number) => {
  const words = ['{"id":', 'tenant-01h', '"name":"', 'session', '","value":', '12345', '},\n', 'cache', 'riptide '];
  const text = Buffer.alloc(sizeBytes);
  for (let at = 0, step = 1; at < sizeBytes; step = (step * 48_271) % 2_147_483_647) {
    at += text.write(words[step % words.length] ?? '', at, 'latin1') || sizeBytes;
  }
  return text;
};

const packText = async (algorithm: 'lz4' | 'zstd', sizeBytes: number): Promise<Packed> => {
  const packed = await pack(textOf(sizeBytes), { algorithm, thresholdBytes: 0 });
  expect(packed.codec).toBe(algorithm);
  return packed;
};

/** What a reader does: digest first, then unpack. Resolves to the payload, or to the error. */
const read = async (packed: Packed, expected: string, maxBytes = 20 * MEBIBYTE): Promise<Buffer | Error> => {
  if (digest(packed.bytes) !== expected) return new CorruptValueError('digest');
  try {
    return await unpack({ ...packed, maxBytes });
  } catch (error) {
    return error as Error;
  }
};

describe('packing payloads [C1 C5]', () => {
  it.each(algorithms)('gives back any bytes exactly, packed with %s', async (algorithm) => {
    const repeated = fc
      .tuple(fc.uint8Array({ maxLength: 40 }), fc.nat(400))
      .map(([part, times]) => Buffer.concat(Array.from({ length: times }, () => part)));
    const payloads = fc.oneof(fc.uint8Array({ maxLength: 3000 }), repeated);
    await fc.assert(
      fc.asyncProperty(payloads, fc.nat(200), async (payload, thresholdBytes) => {
        const packed = await pack(payload, { algorithm, thresholdBytes });
        expect(packed.rawBytes).toBe(payload.length);
        expect(packed.bytes.length).toBeLessThanOrEqual(payload.length);
        expect(Buffer.compare(await unpack({ ...packed, maxBytes: payload.length }), payload)).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it.each(compressing)(
    'gives back payloads of many blocks, part of them incompressible, packed with %s',
    async (algorithm) => {
      for (const sizeBytes of [64 * 1024, 64 * 1024 + 1, 100 * 1024 + 1, 4 * MEBIBYTE, 9 * MEBIBYTE + 17]) {
        const payload = textOf(sizeBytes);
        if (sizeBytes > 5 * MEBIBYTE) randomBytes(4 * MEBIBYTE).copy(payload, 4 * MEBIBYTE);
        const packed = await pack(payload, { algorithm, thresholdBytes: 1024 });
        expect(packed.codec).toBe(algorithm);
        expect((await unpack({ ...packed, maxBytes: 20 * MEBIBYTE })).equals(payload)).toBe(true);
      }
    },
  );

  it.each(compressing)('stores what %s cannot make smaller as it is', async (algorithm) => {
    const payload = randomBytes(50_000);
    const packed = await pack(payload, { algorithm, thresholdBytes: 1024 });
    expect(packed).toEqual({ codec: 'none', bytes: payload, rawBytes: 50_000 });
  });

  it.each(compressing)(
    'leaves a payload of the threshold alone and packs one byte more, with %s',
    async (algorithm) => {
      const at = (sizeBytes: number) => pack(textOf(sizeBytes), { algorithm, thresholdBytes: 4096 });
      expect((await at(4096)).codec).toBe('none');
      expect((await at(4097)).codec).toBe(algorithm);
    },
  );

  it.each(compressing)('keeps compression only when it saves a tenth, with %s', async (algorithm) => {
    const outcomes = new Set<string>();
    for (let zeros = 60; zeros < 400; zeros += 1) {
      const payload = Buffer.concat([
        createHash('shake256', { outputLength: 1000 }).update('edge').digest(),
        Buffer.alloc(zeros),
      ]);
      const packed = await pack(payload, { algorithm, thresholdBytes: 0 });
      outcomes.add(packed.codec);
      if (packed.codec !== 'none') expect(packed.bytes.length * 10).toBeLessThan(payload.length * 9);
      else expect((await sizeWhenPacked(payload, algorithm)) * 10).toBeGreaterThanOrEqual(payload.length * 9);
    }
    expect(outcomes).toEqual(new Set(['none', algorithm]));
  });

  it('stores a payload that saves exactly 10 % as it is', async () => {
    const exact = await findPayload((raw, packedBytes) => packedBytes * 10 === raw * 9);
    expect((await pack(exact, { algorithm: 'lz4', thresholdBytes: 0 })).codec).toBe('none');
  });

  it('answers small payloads at once, and large ones from a thread', async () => {
    await packText('lz4', 4096);
    for (const algorithm of compressing) {
      const small = pack(textOf(100 * 1024), { algorithm, thresholdBytes: 0 });
      const large = pack(textOf(100 * 1024 + 1), { algorithm, thresholdBytes: 0 });
      expect(small).not.toBeInstanceOf(Promise);
      expect(large).toBeInstanceOf(Promise);
      expect(unpack({ ...(await small), maxBytes: MEBIBYTE })).toBeInstanceOf(Buffer);
      expect(unpack({ ...(await large), maxBytes: MEBIBYTE })).toBeInstanceOf(Promise);
    }
  });
});

/** A frame is 23 bytes around its block: compressible bytes are added until the promise's edge is met. */
async function findPayload(isWanted: (raw: number, packedBytes: number) => boolean): Promise<Buffer> {
  for (let noise = 500; noise < 1500; noise += 1) {
    for (let zeros = 60; zeros < 260; zeros += 1) {
      const payload = Buffer.concat([
        createHash('shake256', { outputLength: noise }).update('x').digest(),
        Buffer.alloc(zeros),
      ]);
      if (payload.length % 10 === 0 && isWanted(payload.length, await sizeWhenPacked(payload, 'lz4'))) return payload;
    }
  }
  throw new Error('no payload is at the edge');
}

async function sizeWhenPacked(payload: Buffer, algorithm: 'lz4' | 'zstd'): Promise<number> {
  if (algorithm === 'zstd') return zstdCompressSync(payload).length;
  return (await loadLz4()).compress(payload).length;
}

describe('reading what was damaged [C1 P4 P5]', () => {
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

describe('bombs [C6 P4]', () => {
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

describe('the digest [P4]', () => {
  it('is the first 132 bits of SHA-256', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(digest(bytes)).toBe(createHash('sha256').update(bytes).digest('base64url').slice(0, 22));
      }),
    );
  });
});

/** Decodes an LZ4 frame from the format's description alone: nothing of lib/blobs takes part. */
function decodeFrame(frame: Buffer): Buffer {
  expect(frame.readUInt32LE(0)).toBe(0x184d2204);
  expect((frame[4] ?? 0) >> 6).toBe(1);
  const out: number[] = [];
  let at = 15;
  for (let word = frame.readUInt32LE(at); word !== 0; word = frame.readUInt32LE(at)) {
    const size = word % 0x80000000;
    const block = frame.subarray(at + 4, at + 4 + size);
    if (word >= 0x80000000) out.push(...block);
    else decodeBlock(block, out);
    at += 4 + size;
  }
  expect(at + 4).toBe(frame.length);
  expect(frame.readBigUInt64LE(6)).toBe(BigInt(out.length));
  return Buffer.from(out);
}

function decodeBlock(block: Buffer, out: number[]): void {
  let at = 0;
  const lengthFrom = (start: number) => {
    let length = start;
    for (let more = start === 15; more; ) {
      const byte = block[at++] ?? 0;
      length += byte;
      more = byte === 255;
    }
    return length;
  };
  while (at < block.length) {
    const token = block[at++] ?? 0;
    const literals = lengthFrom(token >> 4);
    out.push(...block.subarray(at, at + literals));
    at += literals;
    if (at >= block.length) return;
    const offset = block.readUInt16LE(at);
    at += 2;
    for (let left = lengthFrom(token & 15) + 4; left > 0; left -= 1) out.push(out[out.length - offset] ?? 0);
  }
}

describe('LZ4 frames others can open [P3 K1]', () => {
  it('decodes by the format alone', async () => {
    for (const sizeBytes of [200, 5000, 65_536, 65_537, 300_000]) {
      const packed = await packText('lz4', sizeBytes);
      expect(decodeFrame(packed.bytes).equals(textOf(sizeBytes))).toBe(true);
    }
  });

  it('carries the header checksum other tools verify', async () => {
    // From `lz4 --content-size -B4 -BI`: its header for 5,000 bytes.
    const packed = await packText('lz4', 5000);
    expect(packed.bytes.subarray(0, 15).toString('hex')).toBe('04224d1868408813000000000000c9');
  });

  it('opens with `lz4 -d`, where that is installed', async () => {
    const packed = await packText('lz4', 300_000);
    const opened = spawnSync('lz4', ['-dc'], { input: packed.bytes, maxBuffer: MEBIBYTE });
    if (opened.error === undefined) expect(Buffer.compare(opened.stdout, textOf(300_000))).toBe(0);
    else expect(decodeFrame(packed.bytes).length).toBe(300_000);
  });
});
