import { describe, expect, it } from 'vitest';
import { MAX_PAYLOAD_BYTES } from '../../infra/local/gateway-limits.ts';
import { toGatewayReply } from '../../infra/local/gateway-reply.ts';

describe('the reply of a function [A14]', () => {
  it('passes status, headers, cookies and text on', () => {
    const result = {
      statusCode: 201,
      headers: { 'X-Count': 3, 'Content-Type': 'a/b' },
      cookies: ['a=1', 'b=2'],
      body: 'ü',
    };
    expect(toGatewayReply(result)).toEqual({
      status: 201,
      headers: { 'x-count': '3', 'content-type': 'a/b', 'set-cookie': ['a=1', 'b=2'] },
      body: 'ü',
    });
  });

  it('decodes a body in base64', () => {
    const body = Buffer.from([0, 255, 10]);
    expect(toGatewayReply({ statusCode: 200, body: body.toString('base64'), isBase64Encoded: true }).body).toEqual(
      body,
    );
  });

  it('has no body when the function gives none', () => {
    expect(toGatewayReply({ statusCode: 204 })).toEqual({ status: 204, headers: {}, body: undefined });
  });

  it.each([
    [{ ok: true }, '{"ok":true}'],
    ['text', 'text'],
    [undefined, ''],
  ])('takes the result %j without a status as a JSON answer', (result, body) => {
    expect(toGatewayReply(result)).toEqual({ status: 200, headers: { 'content-type': 'application/json' }, body });
  });

  it.each([{ statusCode: 'x' }, { statusCode: 99 }, { statusCode: 200, body: { a: 1 } }])(
    'refuses %j with 500',
    (result) => {
      expect(() => toGatewayReply(result)).toThrow(expect.objectContaining({ status: 500, code: 'internal' }));
    },
  );

  it('is as large as Lambda sends, to the byte', () => {
    const envelope = JSON.stringify({ statusCode: 200, body: '' }).length;
    const largest = 'x'.repeat(MAX_PAYLOAD_BYTES - envelope);
    expect(toGatewayReply({ statusCode: 200, body: largest }).body).toHaveLength(largest.length);
    expect(() => toGatewayReply({ statusCode: 200, body: `${largest}x` })).toThrow(
      expect.objectContaining({ status: 500, code: 'reply_too_large' }),
    );
  });
});
