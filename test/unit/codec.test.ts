import { createHash, randomBytes } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digest, pack, unpack } from '../../lib/blobs/codec.ts';
import { loadLz4 } from '../../lib/blobs/lz4.ts';
import { packText, textOf } from './codec-samples.ts';

const MEBIBYTE = 1024 * 1024;
const algorithms = ['none', 'lz4', 'zstd'] as const;
const compressing = ['lz4', 'zstd'] as const;

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

  it('leaves packed bytes as they are, whether or not they can be unpacked', async () => {
    for (const [sizeBytes, damaged] of [[2_000], [5 * MEBIBYTE], [2_000, 25]] as const) {
      const packed = await pack(textOf(sizeBytes), { algorithm: 'lz4', thresholdBytes: 1024 });
      if (damaged !== undefined) packed.bytes.fill(0xff, damaged, packed.bytes.length - 4);
      const before = Buffer.from(packed.bytes);
      const unpacked = Promise.resolve().then(() => unpack({ ...packed, maxBytes: 20 * MEBIBYTE }));
      if (damaged === undefined) expect(await unpacked).toHaveLength(sizeBytes);
      else await expect(unpacked).rejects.toMatchObject({ code: 'value_corrupt' });
      expect(packed.bytes.equals(before)).toBe(true);
    }
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

describe('the digest', () => {
  it('is the first 132 bits of SHA-256', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(digest(bytes)).toBe(createHash('sha256').update(bytes).digest('base64url').slice(0, 22));
      }),
    );
  });
});
