import { describe, expect, it } from 'vitest';
import { pack, unpack } from '../../lib/blobs/codec.ts';

const MIB = 1024 * 1024;
const READS = 120;

describe('memory of a process that reads LZ4 [C5]', () => {
  it('does not grow with what was read', async () => {
    const payload = Buffer.alloc(4 * MIB, 'what is kept in a cache ');
    const packed = await pack(payload, { algorithm: 'lz4', thresholdBytes: 0 });
    const read = async () =>
      expect((await unpack({ ...packed, maxBytes: payload.length })).length).toBe(payload.length);
    for (let i = 0; i < 10; i++) await read();
    const before = process.memoryUsage().rss;
    for (let i = 0; i < READS; i++) await read();
    expect(process.memoryUsage().rss - before).toBeLessThan((READS * payload.length) / 2);
  });
});
