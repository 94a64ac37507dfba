import { createSecretKey, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aadOf } from '../../lib/crypto/aad.ts';
import { open, seal } from '../../lib/crypto/envelope.ts';
import { CorruptValueError } from '../../lib/errors.ts';

const newKey = () => createSecretKey(randomBytes(32));
const key = newKey();
const PARTS = ['tenant-1', 'cache', 'ns', 'key'];
const aad = aadOf(PARTS);
const plaintext = Buffer.from('a value worth keeping');
const sealed = () => seal({ key, version: 3, aad, plaintext });

const outcomeOf = (text: string, more: { aad?: Buffer; keyOf?: (version: number) => typeof key | undefined } = {}) =>
  open({ text, aad, keyOf: () => key, ...more }).catch((error: unknown) => error);

/** Any text, lone surrogates included. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc
    .array(fc.constantFrom('\0', '%', '%0000', '\ud800', '\udfff', '\ufffd', 'a', ''), { maxLength: 6 })
    .map((all) => all.join('')),
);
const anyParts = fc.array(anyText, { maxLength: 5 });

describe('a sealed value [T8]', () => {
  it('opens to exactly what was sealed, whatever it is and wherever it belongs', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 2000 }),
        anyParts,
        fc.integer({ min: 1, max: 999_999_999 }),
        async (bytes, parts, version) => {
          const text = seal({ key, version, aad: aadOf(parts), plaintext: bytes });
          const asked: number[] = [];
          const keyOf = (of: number) => {
            asked.push(of);
            return Promise.resolve(key);
          };
          expect(await open({ text, aad: aadOf(parts), keyOf })).toEqual(Buffer.from(bytes));
          expect(asked).toEqual([version]);
        },
      ),
    );
  });

  it('has another nonce each time, and shows nothing of the value', () => {
    const texts = Array.from({ length: 100 }, sealed);
    const nonces = texts.map((text) => Buffer.from(text.slice(2), 'base64').toString('hex', 0, 12));
    expect(new Set(nonces).size).toBe(100);
    for (const text of texts) expect(Buffer.from(text.slice(2), 'base64').includes('value')).toBe(false);
  });

  it('does not open for another tenant, kind, namespace or key', async () => {
    for (const at of PARTS.keys()) {
      const elsewhere = PARTS.with(at, `${PARTS[at]}x`);
      expect(await outcomeOf(sealed(), { aad: aadOf(elsewhere) })).toBeInstanceOf(CorruptValueError);
    }
    await fc.assert(
      fc.asyncProperty(anyParts, anyParts, async (from, to) => {
        fc.pre(JSON.stringify(from) !== JSON.stringify(to));
        const text = seal({ key, version: 1, aad: aadOf(from), plaintext });
        expect(await outcomeOf(text, { aad: aadOf(to) })).toBeInstanceOf(CorruptValueError);
      }),
    );
  });

  it('does not open under another key, nor under one the tenant does not have', async () => {
    expect(await outcomeOf(sealed(), { keyOf: newKey })).toBeInstanceOf(CorruptValueError);
    expect(await outcomeOf(sealed(), { keyOf: () => undefined })).toBeInstanceOf(CorruptValueError);
  });

  it('notices every flipped bit of nonce, tag and ciphertext', async () => {
    const text = sealed();
    const bytes = Buffer.from(text.slice(2), 'base64');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(await outcomeOf(`3.${damaged.toString('base64')}`)).toBeInstanceOf(CorruptValueError);
    }
  });

  it('notices every truncation, every changed character and every added one', async () => {
    const text = sealed();
    for (let at = 0; at < text.length; at += 1) {
      expect(await outcomeOf(text.slice(0, at))).toBeInstanceOf(CorruptValueError);
      const keyOf = (version: number) => (version === 3 ? key : undefined);
      for (const other of ['A', '.', '\n', '_', 'é', '0']) {
        if (text[at] === other) continue;
        expect(await outcomeOf(text.slice(0, at) + other + text.slice(at + 1), { keyOf })).toBeInstanceOf(
          CorruptValueError,
        );
      }
    }
    for (const more of [' ', '=', '\n', 'A', 'AAAA'])
      expect(await outcomeOf(text + more)).toBeInstanceOf(CorruptValueError);
  });

  it('throws nothing but that error, whatever the text', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          anyText,
          anyText.map((text) => `1.${text}`),
        ),
        async (text) => {
          expect(await outcomeOf(text)).toBeInstanceOf(CorruptValueError);
        },
      ),
    );
  });

  it('is never made with a version no text can name', () => {
    for (const version of [0, -1, 1.5, Number.NaN, 1e9, 1e21])
      expect(() => seal({ key, version, aad, plaintext })).toThrow(RangeError);
  });

  it('says what is in it to nobody: no error names value, key or parts', async () => {
    const error = (await outcomeOf(sealed(), { aad: aadOf(['other']) })) as Error;
    expect(JSON.stringify([error.message, error.stack])).not.toMatch(/worth|tenant-1/);
    expect(error.cause).toBeUndefined();
  });
});

describe('what a value is bound to [T8]', () => {
  it('is never the same for two lists of parts', () => {
    fc.assert(
      fc.property(anyParts, anyParts, (a, b) => {
        expect(aadOf(a).equals(aadOf(b))).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
      { numRuns: 2000 },
    );
    const alike = [[], [''], ['', ''], ['\0'], ['a\0b'], ['a', 'b'], ['%0000'], ['\ud800'], ['\udfff'], ['\ufffd']];
    expect(new Set(alike.map((parts) => aadOf(parts).toString('hex'))).size).toBe(alike.length);
  });

  it('is stored for ever: the bytes are these', () => {
    expect(aadOf(['tenant-1', 'cache', 'ns', 'a%b']).toString()).toBe('riptide1\0tenant-1\0cache\0ns\0a%0025b');
  });

  it('opens a value that an earlier version sealed', async () => {
    const old = createSecretKey(Buffer.alloc(32, 7));
    const text = '1.AAECAwQFBgcICQoLiK9WaK7e1Pj8igXCU3vv9X/uhRR4Z/k/Ft6Q+Q==';
    expect((await open({ text, aad: aadOf(['tenant-1', 'cache', 'ns', 'key']), keyOf: () => old })).toString()).toBe(
      'golden value',
    );
  });
});
