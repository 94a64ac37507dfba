import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeLine, encodeLine, isRemoval, orderOf } from '../../lib/checkpoints/format/checkpoint-line.ts';
import { compareUtf8 } from '../../lib/checkpoints/format/utf8-order.ts';
import { CheckpointFormatError, CorruptValueError } from '../../lib/errors.ts';
import { aLine, cacheLine, coldLine, hotLine, removalOf, ulidOf } from '../support/checkpoint-lines.ts';

const anyText = fc.string({
  unit: fc.oneof(
    fc.constantFrom('a', '\uffff', '\ue000', '\ud7ff', '𐀀', '\u{10ffff}'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
  maxLength: 6,
});

describe('the order of lines [K1]', () => {
  it('is that of their bytes, as Redis sorts members', () => {
    fc.assert(
      fc.property(anyText, anyText, (a, b) => {
        expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
      { numRuns: 2_000 },
    );
  });

  it('has characters above U+FFFF behind all others, unlike that of JavaScript', () => {
    expect(['\u{1f642}', '\uffff'].sort()[0]).toBe('\u{1f642}');
    expect(['\u{1f642}', '\uffff'].sort(compareUtf8)[0]).toBe('\uffff');
  });

  it('is that of the index, by kind, namespace or user, and name', () => {
    expect(orderOf(cacheLine('k%00', 'c2'))).toBe('c\0ns\0k%00');
    expect(orderOf(coldLine(1, 's1', 'ada'))).toBe(`s\0ada\0${ulidOf(1)}`);
    expect(orderOf(removalOf(hotLine(1, { h: 's1' })))).toBe(`s\0\0${ulidOf(1)}`);
  });
});

describe('lines [K1]', () => {
  it('give back what was written, each in one line', () => {
    fc.assert(
      fc.property(aLine, (line) => {
        const text = encodeLine(line);
        expect(text.indexOf('\n')).toBe(text.length - 1);
        expect(JSON.parse(text)).toEqual(line);
        expect(decodeLine(text)).toEqual(line);
        expect(decodeLine(text.trimEnd())).toEqual(line);
      }),
      { numRuns: 500 },
    );
  });

  it('keep a data key called __proto__', () => {
    const line = hotLine(
      1,
      Object.fromEntries([
        ['h', 's1'],
        ['d:__proto__', '1'],
      ]),
    );
    expect(decodeLine(encodeLine(line))).toEqual(line);
  });

  it('say what they are', () => {
    expect(encodeLine(cacheLine('k', 'c2,"\n'))).toBe(
      '{"kind":"cache","namespace":"ns","key":"k","stored":"c2,\\"\\n"}\n',
    );
    expect(encodeLine(removalOf(cacheLine('k', '')))).toBe(
      '{"kind":"cache","namespace":"ns","key":"k","removed":true}\n',
    );
    expect(encodeLine(hotLine(1, { h: 's1', 'd:cart': '{}' }, 'ada'))).toBe(
      `{"kind":"session","user":"ada","id":"${ulidOf(1)}","hash":{"h":"s1","d:cart":"{}"}}\n`,
    );
    expect(encodeLine(coldLine(1, 's1'))).toBe(`{"kind":"session","user":"","id":"${ulidOf(1)}","stub":"s1"}\n`);
    expect(isRemoval(coldLine(1, 's1'))).toBe(false);
  });

  it.each([
    '',
    '[]',
    'null',
    '{',
    '{"kind":"cache"}',
    '{"namespace":"n","key":"k","stored":"s"}',
    '{"kind":7,"namespace":"n","key":"k","stored":"s"}',
    '{"kind":"cache","namespace":"n","key":"k"}',
    '{"kind":"cache","namespace":"n","key":"k","stored":1}',
    '{"kind":"cache","namespace":"n","key":"k","removed":false}',
    '{"kind":"cache","namespace":"n","key":"k","stored":"s","removed":true}',
    '{"kind":"cache","namespace":"n","key":"k\\u0000","stored":"s"}',
    '{"kind":"cache","user":"n","id":"k","stored":"s"}',
    `{"kind":"session","user":"u","id":"${ulidOf(1)}","hash":{}}`,
    `{"kind":"session","user":"u","id":"${ulidOf(1)}","hash":{"h":"","x":""}}`,
    `{"kind":"session","user":"u","id":"${ulidOf(1)}","hash":{"h":1}}`,
    `{"kind":"session","user":"u","id":"${ulidOf(1)}","stored":"s"}`,
    '{"kind":"session","user":"u","id":"session-1","stub":"s1"}',
  ])('are refused when they are none: %s', (text) => {
    expect(() => decodeLine(text)).toThrow(CorruptValueError);
  });

  it('are refused without telling what stands there', () => {
    for (const text of ['{"secret', '{"kind":"cache","namespace":"secret","key":"secret"}'])
      expect(() => decodeLine(text)).toThrow(
        expect.not.objectContaining({ message: expect.stringContaining('secret') }),
      );
  });

  it('of a kind to come are told apart', () => {
    const line = '{"kind":"render_session","user":"u","id":"1","stored":"s"}';
    expect(() => decodeLine(line)).toThrow(CheckpointFormatError);
  });
});
