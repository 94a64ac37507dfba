import { randomBytes } from 'node:crypto';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** The random part of a key: 43 letters hold 256 bits. Without bias: bytes that would favour some letters are drawn again. */
export function newSecret(): string {
  let letters = '';
  while (letters.length < 43) {
    for (const byte of randomBytes(43)) if (byte < 248 && letters.length < 43) letters += BASE62[byte % 62];
  }
  return letters;
}
