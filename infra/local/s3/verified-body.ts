import { createDigester, type Digests, namedChecksums, verifyDigests } from './checksums.ts';
import { decodeChunked } from './chunked-body.ts';
import { invalidRequest, notImplemented, S3Error } from './s3-error.ts';
import type { S3Request } from './s3-request.ts';

/** A body that was read to its end and is what its sender says it is. */
export interface VerifiedBody {
  readonly sizeBytes: number;
  readonly digests: Digests;
}

const CHUNKED = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';

/**
 * Reads a request's body piece by piece, then verifies its length, its signed SHA-256, Content-MD5 and checksums.
 * Nothing given to `onChunk` may be kept when this throws.
 * @param payload what the signature says about the body (see verifySignature).
 * @throws {S3Error} 400 for a body that is not what was said, 501 for an encoding or checksum unknown here.
 */
export async function readVerified(
  request: S3Request,
  payload: string,
  sink: { readonly maxBytes: number; onChunk(chunk: Buffer): Promise<void> | void },
): Promise<VerifiedBody> {
  const { headers } = request;
  checkPayloadWord(payload);
  const trailers: Record<string, string> = {};
  const expectedBytes = expectedLength(headers, payload);
  if (expectedBytes > sink.maxBytes) throw entityTooLarge();
  const digester = createDigester(namedChecksums(headers), isSha256(payload));
  const incoming: AsyncIterable<Buffer> =
    payload === CHUNKED
      ? decodeChunked(request.source, (name, value) => {
          trailers[name] = value;
        })
      : request.source;
  let sizeBytes = 0;
  for await (const chunk of incoming) {
    sizeBytes += chunk.length;
    if (sizeBytes > sink.maxBytes) throw entityTooLarge();
    digester.update(chunk);
    await sink.onChunk(chunk);
  }
  if (sizeBytes !== expectedBytes) throw new S3Error(400, 'IncompleteBody', 'The body is not as long as was said.');
  const digests = digester.finish();
  if (isSha256(payload) && payload !== digests.sha256Hex) {
    throw new S3Error(
      400,
      'XAmzContentSHA256Mismatch',
      'The provided x-amz-content-sha256 header does not match what was computed.',
    );
  }
  verifyDigests({ ...headers, ...trailers }, digests);
  return { sizeBytes, digests };
}

/** A small body, whole, verified. @throws as {@link readVerified}. */
export async function readWholeBody(request: S3Request, payload: string, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await readVerified(request, payload, { maxBytes, onChunk: (chunk) => void chunks.push(chunk) });
  return Buffer.concat(chunks);
}

const isSha256 = (payload: string) => /^[0-9a-f]{64}$/.test(payload);

function checkPayloadWord(payload: string): void {
  if (payload === CHUNKED || payload === 'UNSIGNED-PAYLOAD' || isSha256(payload)) return;
  if (payload.startsWith('STREAMING-')) throw notImplemented(`The body encoding ${payload}`);
  throw invalidRequest('x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a streaming word or a SHA-256 in hex');
}

/** Bytes of the decoded body: a length is required, so that a cut body is always noticed. */
function expectedLength(headers: Readonly<Record<string, string>>, payload: string): number {
  const isEmpty = headers['content-length'] === undefined && headers['transfer-encoding'] === undefined;
  const said =
    payload === CHUNKED ? headers['x-amz-decoded-content-length'] : isEmpty ? '0' : headers['content-length'];
  if (said === undefined || !/^\d{1,15}$/.test(said)) {
    throw new S3Error(411, 'MissingContentLength', 'You must provide the length of the body.');
  }
  return Number(said);
}

const entityTooLarge = () =>
  new S3Error(400, 'EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size');
