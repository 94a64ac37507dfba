import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type HttpReply, MAX_BODY_BYTES, MAX_LAMBDA_BYTES } from '../../lib/http/event.ts';
import { encodeReply, SECURITY_HEADERS } from '../../lib/http/reply.ts';

const bytesOf = ({ body, isBase64Encoded }: HttpReply) => Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
const sizeOf = (reply: HttpReply) => Buffer.byteLength(JSON.stringify(reply));

describe('a reply [A14 C1]', () => {
  it('carries the very bytes, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (value) => {
        const reply = encodeReply({ status: 200, bytes: Buffer.from(value) });
        expect(bytesOf(reply).equals(Buffer.from(value))).toBe(true);
      }),
    );
  });

  it.each([
    ['quotes', Buffer.alloc(MAX_BODY_BYTES, '"')],
    ['newlines', Buffer.alloc(MAX_BODY_BYTES, '\n')],
    ['NUL', Buffer.alloc(MAX_BODY_BYTES)],
    ['random bytes', randomBytes(MAX_BODY_BYTES)],
    ['half a mebibyte of NUL', Buffer.alloc(512 * 1024)],
  ])('fits into what Lambda sends, filled with %s', (_what, bytes) => {
    const reply = encodeReply({ status: 200, bytes, headers: { 'riptide-attributes': 'x'.repeat(12_000) } });
    expect(sizeOf(reply)).toBeLessThanOrEqual(MAX_LAMBDA_BYTES);
    expect(bytesOf(reply).equals(bytes)).toBe(true);
  });

  it('is refused, not cut, when it does not fit', () => {
    const bytes = Buffer.alloc(5 * 1024 * 1024, 1);
    expect(() => encodeReply({ status: 200, bytes })).toThrow(expect.objectContaining({ code: 'reply_too_large' }));
  });

  it('is JSON for data, empty for neither, and says the length of what HEAD leaves out', () => {
    const data = encodeReply({ status: 201, data: { a: 'ž' } });
    expect(data).toMatchObject({ statusCode: 201, body: '{"a":"ž"}' });
    expect(data.headers['content-type']).toBe('application/json');
    expect(encodeReply({ status: 200, data: null }).body).toBe('null');
    expect(encodeReply({ status: 204 })).toMatchObject({ statusCode: 204, body: '' });
    expect(encodeReply({ status: 200, contentLength: 7 }).headers['content-length']).toBe('7');
  });

  it('has headers fit for an API, and the type of the value', () => {
    const { headers } = encodeReply({
      status: 200,
      bytes: Buffer.from('<b>'),
      headers: { 'content-type': 'text/html' },
    });
    expect(headers).toEqual({ ...SECURITY_HEADERS, 'content-type': 'text/html' });
    expect(SECURITY_HEADERS['content-security-policy']).toContain('sandbox');
  });
});
