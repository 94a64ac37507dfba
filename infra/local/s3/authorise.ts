import { type Credentials, SignatureError, type SignatureFault, verifySignature } from '../aws/signature.ts';
import { S3Error } from './s3-error.ts';
import type { S3Request } from './s3-request.ts';

/** A fault in S3's own words. */
const ANSWERS: Readonly<Record<SignatureFault, readonly [status: number, code: string]>> = {
  missing: [403, 'AccessDenied'],
  malformed: [400, 'AuthorizationHeaderMalformed'],
  'unknown-key': [403, 'InvalidAccessKeyId'],
  'other-scope': [400, 'AuthorizationHeaderMalformed'],
  'bad-date': [403, 'AccessDenied'],
  skewed: [403, 'RequestTimeTooSkewed'],
  expired: [403, 'AccessDenied'],
  'unsigned-header': [403, 'AccessDenied'],
  'no-digest': [400, 'MissingSecurityHeader'],
  'bad-query': [400, 'AuthorizationQueryParametersError'],
  mismatch: [403, 'SignatureDoesNotMatch'],
};

/**
 * Checks who sends a request.
 * @param nowMs Unix time, ms.
 * @returns what the signature says about the body: its SHA-256 in hex, or a word such as `UNSIGNED-PAYLOAD`.
 * @throws {S3Error} 403, or 400 for a claim that cannot be read.
 */
export function authorise(request: S3Request, credentials: Credentials, nowMs: number): string {
  try {
    return verifySignature(request, { credentials, service: 's3', nowMs });
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    const [status, code] = ANSWERS[error.fault];
    throw new S3Error(status, code, error.message);
  }
}
