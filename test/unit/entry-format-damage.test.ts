/** A stored entry with any one bit changed is never believed: `parseEntry` is what stands before every decompression. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseEntry } from '../../lib/cache/entry-format.ts';
import { CorruptValueError } from '../../lib/errors.ts';
import { storedEntry } from '../support/stored-entry.ts';
import { golden, goldenText } from '../support/stored-formats.ts';

/** Every text that differs in one bit from what Redis holds, as a driver decodes it. */
function* bitFlips(stored: string): Generator<string> {
  const bytes = Buffer.from(stored, 'utf8');
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const at = bit >> 3;
    const mask = 1 << (bit & 7);
    bytes[at] = (bytes[at] as number) ^ mask;
    yield bytes.toString('utf8');
    bytes[at] = (bytes[at] as number) ^ mask;
  }
}

/** Texts that were believed. */
function believed(texts: Iterable<string>): number {
  let count = 0;
  for (const text of texts) {
    try {
      parseEntry(text);
      count++;
    } catch (error) {
      if (!(error instanceof CorruptValueError)) throw error;
    }
  }
  return count;
}

describe('a damaged entry is never believed [C1 C3]', () => {
  it.each([
    ['text beyond ASCII', 'text' as const, 'žluť 🙂 '.repeat(320)],
    ['base64', 'b64' as const, randomBytes(2_800).toString('base64')],
  ])(
    'whichever bit of 4 KB changed: %s',
    (_what, codec, payload) => {
      const stored = storedEntry({ content_type: 'text/plain', tags: ['a'] }, codec, payload);
      expect(Buffer.byteLength(stored)).toBeGreaterThan(3_700);
      expect(parseEntry(stored).payload).toBe(payload);
      expect(believed(bitFlips(stored))).toBe(0);
    },
    20_000,
  );

  it.each(golden.entries)('whichever bit of the sample of $codec changed', ({ key }) => {
    expect(believed(bitFlips(goldenText(key)))).toBe(0);
  });

  it('cut anywhere, or with something after it', () => {
    const stored = goldenText('lz4');
    const cut = Array.from({ length: stored.length }, (_, length) => stored.slice(0, length));
    expect(believed([...cut, `${stored} `, `${stored}\0`, `\ufeff${stored}`, stored.toUpperCase()])).toBe(0);
  });

  it('the payload of one entry under the head of another', () => {
    const [a, b] = [goldenText('lz4'), goldenText('zstd')];
    const split = (text: string) => text.indexOf('\n') + 1;
    expect(believed([a.slice(0, split(a)) + b.slice(split(b)), b.slice(0, split(b)) + a.slice(split(a))])).toBe(0);
  });
});
