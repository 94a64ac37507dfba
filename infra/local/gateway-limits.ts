/**
 * The sizes API Gateway and Lambda enforce, on what they really count: the serialised event and reply. Checked cheaply:
 * JSON is only written out when it could be near the limit.
 */
import { GatewayError } from './gateway-problem.ts';

/** Bytes of one Lambda event, and of one reply, as JSON; base64 counted. */
export const MAX_PAYLOAD_BYTES = 6_291_456;
/** Bytes of the request line and all header lines together. */
export const MAX_HEADER_BYTES = 10_240;
/** Bytes of a body as it arrives. */
export const MAX_BODY_BYTES = 10 * 1024 * 1024;
/** Milliseconds an integration has to answer. */
export const MAX_INTEGRATION_MS = 30_000;

/** One character is at most this many bytes of JSON (`\u0000`). */
const MAX_ESCAPE_BYTES = 6;
/** More than all of an event but its body can take: headers appear twice at most, each byte escaped. */
const MAX_ENVELOPE_BYTES = 2 * MAX_ESCAPE_BYTES * MAX_HEADER_BYTES + 4096;

/** Whether a payload may be sent to or by Lambda. `body` is the part of it that can be large. */
export function fitsPayload(payload: object, body: string | undefined): boolean {
  const length = body?.length ?? 0;
  if (length * MAX_ESCAPE_BYTES + MAX_ENVELOPE_BYTES <= MAX_PAYLOAD_BYTES) return true;
  if (length > MAX_PAYLOAD_BYTES) return false;
  return Buffer.byteLength(JSON.stringify(payload)) <= MAX_PAYLOAD_BYTES;
}

/** @throws {GatewayError} 431: request line and headers are larger than the gateway takes. */
export function checkHeaderBytes(target: string, rawHeaders: readonly string[]): void {
  let bytes = target.length;
  for (const part of rawHeaders) bytes += part.length;
  if (bytes <= MAX_HEADER_BYTES) return;
  throw new GatewayError(
    431,
    'headers_too_large',
    `The request line and headers may take ${MAX_HEADER_BYTES} bytes together`,
  );
}
