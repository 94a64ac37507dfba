import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { loadLz4 } from '../../lib/blobs/lz4.ts';
import { frameAsIs } from '../../lib/blobs/lz4-frame.ts';
import { packText, textOf } from './codec-samples.ts';

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

describe('LZ4 frames others can open', () => {
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
    const opened = spawnSync('lz4', ['-dc'], { input: packed.bytes, maxBuffer: 1024 * 1024 });
    if (opened.error === undefined) expect(Buffer.compare(opened.stdout, textOf(300_000))).toBe(0);
    else expect(decodeFrame(packed.bytes).length).toBe(300_000);
  });
});

describe('a frame of content as it is [K1 G3]', () => {
  it.each([1, 70_000, 9_000_000])(
    'of %d bytes is what any reader of the format reads, this one, too',
    async (bytes) => {
      const content = Buffer.alloc(bytes, 'what is not compressed ');
      const frame = frameAsIs(content);
      if (bytes < 100_000) expect(decodeFrame(frame).equals(content)).toBe(true);
      expect((await (await loadLz4()).decompressInTurns(frame, content.length)).equals(content)).toBe(true);
    },
  );
});
