/** Reads a request whole and checks who sends it, before anything in it is believed. */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type Credentials, SignatureError, type SignatureFault, verifySignature } from '../aws/signature.ts';
import { KmsError } from './kms-error.ts';

export interface KmsRequest {
  /** As in `X-Amz-Target`, without the service's name. Empty: it names none. */
  readonly operation: string;
  readonly body: Buffer;
}

/** The largest call has 4 KiB of plaintext and 8 KiB of context. */
const MAX_BODY_BYTES = 32_768;
const SERVICE = 'kms';
const TARGET = 'TrentService.';

/** A fault in the words of AWS's JSON services. */
const ANSWERS: Readonly<Record<SignatureFault, string>> = {
  missing: 'MissingAuthenticationTokenException',
  malformed: 'IncompleteSignatureException',
  'unknown-key': 'UnrecognizedClientException',
  'other-scope': 'InvalidSignatureException',
  'bad-date': 'IncompleteSignatureException',
  skewed: 'InvalidSignatureException',
  expired: 'InvalidSignatureException',
  'unsigned-header': 'InvalidSignatureException',
  'no-digest': 'IncompleteSignatureException',
  'bad-query': 'IncompleteSignatureException',
  mismatch: 'InvalidSignatureException',
};

/**
 * @param nowMs Unix time, ms.
 * @throws {KmsError} 413 for a body that is too large, 400 for one that is not signed as it must be.
 */
export async function readRequest(
  source: IncomingMessage,
  credentials: Credentials,
  nowMs: number,
): Promise<KmsRequest> {
  const body = await readBody(source);
  const bodySha256 = createHash('sha256').update(body).digest('hex');
  const target = URL.parse(source.url ?? '/', 'http://local');
  if (target === null) throw unknownOperation();
  const request = {
    method: source.method ?? '',
    path: target.pathname,
    query: target.searchParams,
    headers: plainHeaders(source),
    source,
  };
  authorise(() => verifySignature(request, { credentials, service: SERVICE, nowMs, bodySha256 }), bodySha256);
  if (request.method !== 'POST' || request.path !== '/') throw unknownOperation();
  const name = request.headers['x-amz-target'] ?? '';
  return { operation: name.startsWith(TARGET) ? name.slice(TARGET.length) : '', body };
}

/** The answer to what is no call of KMS's API. */
const unknownOperation = () => new KmsError(400, 'UnknownOperationException', 'There is no such operation');

function authorise(verify: () => string, bodySha256: string): void {
  try {
    // Unlike S3, KMS knows no body that is left out of the signature.
    if (verify() !== bodySha256) throw new SignatureError('mismatch', 'The body is not the one that was signed.');
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    throw new KmsError(400, ANSWERS[error.fault], error.message);
  }
}

async function readBody(source: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_BODY_BYTES) throw new KmsError(413, 'RequestEntityTooLargeException', 'The body is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function plainHeaders(source: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(source.headersDistinct).map(([name, values]) => [name, (values ?? []).join(',')]),
  );
}
