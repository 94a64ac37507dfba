import { expect } from 'vitest';
import { type Packed, pack } from '../../lib/blobs/codec.ts';

/** Text that compresses as documents do; the same for the same size. */
export function textOf(sizeBytes: number): Buffer {
  const words = ['{"id":', 'tenant-01h', '"name":"', 'session', '","value":', '12345', '},\n', 'cache', 'riptide '];
  const text = Buffer.alloc(sizeBytes);
  for (let at = 0, step = 1; at < sizeBytes; step = (step * 48_271) % 2_147_483_647) {
    at += text.write(words[step % words.length] ?? '', at, 'latin1') || sizeBytes;
  }
  return text;
}

/** That text, packed without a threshold. */
export async function packText(algorithm: 'lz4' | 'zstd', sizeBytes: number): Promise<Packed> {
  const packed = await pack(textOf(sizeBytes), { algorithm, thresholdBytes: 0 });
  expect(packed.codec).toBe(algorithm);
  return packed;
}
