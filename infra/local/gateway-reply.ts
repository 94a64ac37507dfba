/** Turns what a function returns into the answer an HTTP API gives (payload format 2.0). */
import { fitsPayload, MAX_PAYLOAD_BYTES } from './gateway-limits.ts';
import { GatewayError } from './gateway-problem.ts';

export interface GatewayReply {
  readonly status: number;
  /** Names in lower case; `set-cookie` is a list. */
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: string | Buffer | undefined;
}

/** A function's result of format 2.0, once it is known to be one. */
interface StructuredResult {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly cookies?: readonly string[];
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

/**
 * The reply for a result. A result without `statusCode` is a JSON answer of its own, as the gateway infers it.
 * @throws {GatewayError} 500: the result is not one the gateway takes, or is larger than Lambda sends.
 */
export function toGatewayReply(result: unknown): GatewayReply {
  if (!hasStatusCode(result)) return inferReply(result);
  checkResult(result);
  if (!fitsPayload(result, result.body)) {
    throw new GatewayError(500, 'reply_too_large', `The function's reply takes more than ${MAX_PAYLOAD_BYTES} bytes`);
  }
  const body = decodeBody(result);
  const headers = collectHeaders(result);
  if (body !== undefined) headers['content-type'] ??= 'text/plain;charset=UTF-8';
  return { status: result.statusCode, headers, body };
}

function decodeBody({ body, isBase64Encoded }: StructuredResult): string | Buffer | undefined {
  if (typeof body !== 'string') return undefined;
  return isBase64Encoded === true ? Buffer.from(body, 'base64') : body;
}

function hasStatusCode(result: unknown): result is StructuredResult {
  return typeof result === 'object' && result !== null && 'statusCode' in result;
}

function inferReply(result: unknown): GatewayReply {
  const body = typeof result === 'string' ? result : (JSON.stringify(result) ?? '');
  if (!fitsPayload({ body }, body))
    throw new GatewayError(500, 'reply_too_large', `The function's reply takes more than ${MAX_PAYLOAD_BYTES} bytes`);
  return { status: 200, headers: { 'content-type': 'application/json' }, body };
}

function checkResult({ statusCode, body }: StructuredResult): void {
  const isStatus = Number.isInteger(statusCode) && statusCode >= 200 && statusCode <= 599;
  if (isStatus && (body === undefined || body === null || typeof body === 'string')) return;
  throw new GatewayError(500, 'internal', 'The function gave no valid reply');
}

function collectHeaders({ headers, cookies }: StructuredResult): Record<string, string | string[]> {
  const collected: Record<string, string | string[]> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) collected[name.toLowerCase()] = String(value);
  }
  if (cookies !== undefined && cookies.length > 0) collected['set-cookie'] = [...cookies];
  return collected;
}
