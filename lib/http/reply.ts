/** Turns a handler's result into a Lambda reply that fits: headers fit for an API, text as text, the rest as base64. */
import { isUtf8 } from 'node:buffer';
import { ReplyTooLargeError } from '../errors.ts';
import { type HttpReply, MAX_LAMBDA_BYTES } from './event.ts';
import type { Result } from './result.ts';

/** Stored values carry their own content type: none of them may run as a page of this origin, or be sniffed into one. */
export const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=63072000; includeSubDomains',
  'cache-control': 'no-store',
} as const;

/** Above this, JSON escapes in text can outgrow base64: it is sent as base64. */
const TEXT_MAX_BYTES = 512 * 1024;
/** Room for status and headers beside the body. */
const ENVELOPE_BYTES = 24 * 1024;

/** Of a body that surely fits, whatever it is. */
export const MAX_REPLY_BYTES = Math.floor((MAX_LAMBDA_BYTES - ENVELOPE_BYTES) / 4) * 3 - 3;

/** @throws {ReplyTooLargeError} it would not fit into one Lambda reply. */
export function encodeReply(result: Result): HttpReply {
  const headers: Record<string, string> = { ...SECURITY_HEADERS, ...result.headers };
  if (result.contentLength !== undefined) headers['content-length'] = String(result.contentLength);
  const bytes = result.bytes ?? (result.data === undefined ? undefined : Buffer.from(JSON.stringify(result.data)));
  if (bytes === undefined) return { statusCode: result.status, headers, body: '' };
  headers['content-type'] ??= 'application/json';
  if (bytes.length <= TEXT_MAX_BYTES && isUtf8(bytes)) {
    return { statusCode: result.status, headers, body: bytes.toString('utf8') };
  }
  const body = bytes.toString('base64');
  if (body.length + ENVELOPE_BYTES > MAX_LAMBDA_BYTES) {
    throw new ReplyTooLargeError('The answer is larger than one reply may be', {
      details: { size_bytes: bytes.length },
    });
  }
  return { statusCode: result.status, headers, body, isBase64Encoded: true };
}
