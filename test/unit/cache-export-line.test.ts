import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ExportEntry, lineOf, parseLine } from '../../lib/cache/exports/export-line.ts';
import { InvalidRequestError } from '../../lib/errors.ts';
import { anExportEntry, exportEntryOf } from '../support/export-entries.ts';

const READING = { maxValueBytes: 2 * 1024 * 1024 };
const again = (entry: ExportEntry) => parseLine(lineOf(entry).subarray(0, -1), READING);

describe('entries as lines of an export [C11]', () => {
  it('are written as they were when the format began', () => {
    const meta = {
      content_type: 'application/json',
      version: '7',
      source: 'db',
      tags: ['a', 'b'],
      attributes: { n: '1' },
    };
    const whole = exportEntryOf('k', Buffer.from('{"ž":1}\n'), { meta, expiresAtMs: 1_000, freshUntilMs: 500 });
    expect(lineOf(whole).toString()).toBe(
      '{"namespace":"ns","key":"k","value":"{\\"ž\\":1}\\n","content_type":"application/json","version":"7","source":"db",' +
        '"tags":["a","b"],"attributes":{"n":"1"},"expires_at":"1970-01-01T00:00:01.000Z","fresh_until":"1970-01-01T00:00:00.500Z"}\n',
    );
    expect(lineOf(exportEntryOf('k', Buffer.from([0, 255, 128]))).toString()).toBe(
      '{"namespace":"ns","key":"k","value_base64":"AP+A","content_type":"text/plain","expires_at":null}\n',
    );
  });

  it('come back to the byte, whatever they hold', () => {
    fc.assert(
      fc.property(anExportEntry, (entry) => {
        const line = lineOf(entry);
        expect(line.indexOf('\n')).toBe(line.length - 1);
        expect(again(entry)).toEqual(entry);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['a byte-order mark', '\ufeffx'],
    ['line separators', 'a\u2028b\u2029c\u0085d\r\n'],
    ['a number', '123'],
    ['__proto__', '{"__proto__":{}}'],
    ['nothing', ''],
  ])('keep %s as it is', (_what, value) => {
    expect(again(exportEntryOf('k', Buffer.from(value))).value.toString()).toBe(value);
  });

  it('are no longer than a third more than a long value, whatever it holds', () => {
    const value = Buffer.alloc(READING.maxValueBytes, 1);
    const line = lineOf(exportEntryOf('k', value));
    expect(line.length).toBeLessThan((value.length * 4) / 3 + 200);
    expect(again(exportEntryOf('k', value)).value.equals(value)).toBe(true);
  });

  it('keep that something is known not to be', () => {
    const meta = { content_type: 'text/plain', negative: true } as const;
    expect(again(exportEntryOf('k', Buffer.alloc(0), { meta })).meta).toEqual(meta);
  });

  const good = { namespace: 'ns', key: 'k', value: 'v', content_type: 'a/b', expires_at: null };
  it.each([
    ['namespace', { ...good, namespace: 'a:b' }],
    ['namespace', { ...good, namespace: 1 }],
    ['key', { ...good, key: undefined }],
    ['value', { ...good, value: undefined }],
    ['value', { ...good, value_base64: '' }],
    ['value', { ...good, value: { an: 'object' } }],
    ['value', { ...good, value: '\ud800' }],
    ['value', { ...good, value: 'x'.repeat(READING.maxValueBytes + 1) }],
    ['value_base64', { ...good, value: undefined, value_base64: 'AP+' }],
    ['value_base64', { ...good, value: undefined, value_base64: 'A-_A' }],
    ['content_type', { ...good, content_type: 'a\nb' }],
    ['tags', { ...good, tags: 'a' }],
    ['tags', { ...good, tags: ['a,b'] }],
    ['attributes', { ...good, attributes: { n: 1 } }],
    ['negative', { ...good, negative: false }],
    ['expires_at', { ...good, expires_at: undefined }],
    ['expires_at', { ...good, expires_at: '2026-11-21' }],
    ['expires_at', { ...good, expires_at: '2026-13-21T00:00:00Z' }],
    ['fresh_until', { ...good, fresh_until: 5 }],
    ['line', { ...good, more: 1 }],
    ['line', [good]],
    ['line', null],
  ])('are refused for their %s: %j', (field, fields) => {
    expect(refusal(JSON.stringify(fields)).issues).toContainEqual({ field, message: expect.stringMatching(/^must /) });
  });

  it('are refused when they are not JSON, not UTF-8, or name a field twice', () => {
    const twice = `{"key":"x",${JSON.stringify(good).slice(1)}`;
    const broken = Buffer.concat([Buffer.from('"'), Buffer.from([0xff]), Buffer.from('"')]);
    for (const line of ['', '{', twice, broken]) expect(refusal(line).issues?.[0]?.field).toBe('line');
  });

  it('take a value without a type for bytes', () => {
    const { content_type, ...rest } = good;
    expect(parseLine(Buffer.from(JSON.stringify(rest)), READING).meta).toEqual({
      content_type: 'application/octet-stream',
    });
    expect(content_type).toBe('a/b');
  });
});

function refusal(line: string | Buffer): InvalidRequestError {
  try {
    parseLine(Buffer.from(line as string), READING);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidRequestError);
    return error as InvalidRequestError;
  }
  throw new Error('it was taken');
}
