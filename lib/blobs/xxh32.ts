const PRIME_2 = 0x85ebca77;
const PRIME_3 = 0xc2b2ae3d;
const PRIME_4 = 0x27d4eb2f;
const PRIME_5 = 0x165667b1;

/**
 * xxHash, 32 bits, seed 0, of fewer than 16 bytes: what an LZ4 frame's header is checked with. Unsigned.
 * @throws {RangeError} for 16 bytes or more, which take another path of the algorithm.
 */
export function xxh32OfShort(bytes: Buffer): number {
  if (bytes.length >= 16) throw new RangeError('xxh32OfShort takes fewer than 16 bytes');
  let hash = (PRIME_5 + bytes.length) | 0;
  const wordsEnd = bytes.length - (bytes.length % 4);
  for (let at = 0; at < wordsEnd; at += 4) {
    hash = Math.imul(rotateLeft(hash + Math.imul(bytes.readUInt32LE(at), PRIME_3), 17), PRIME_4);
  }
  for (const byte of bytes.subarray(wordsEnd)) {
    hash = Math.imul(rotateLeft(hash + Math.imul(byte, PRIME_5), 11), 0x9e3779b1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const rotateLeft = (value: number, bits: number) => (value << bits) | (value >>> (32 - bits));
