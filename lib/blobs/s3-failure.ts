import { reasonOf, sdkError, statusOf } from '../aws/sdk-error.ts';
import { BlobUnavailableError } from '../errors.ts';

const RETRY_AFTER_MS = 1000;
const CREDENTIALS = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'ExpiredToken',
  'InvalidToken',
  'CredentialsProviderError',
]);
const TIMEOUTS = new Set(['TimeoutError', 'AbortError']);

/**
 * The error a caller of the store sees. It names the operation and S3's own code; never a key, a value or a secret,
 * so the SDK's error is not its cause.
 */
export function blobFailure(operation: string, error: unknown): BlobUnavailableError {
  const { name } = sdkError(error);
  const status = statusOf(error);
  const reason = reasonOf(error);
  return new BlobUnavailableError(`Object storage: ${explain(name, status)} (${operation}: ${reason})`, {
    details: { operation, reason, ...(status === undefined ? {} : { status }) },
    retryAfterMs: RETRY_AFTER_MS,
  });
}

function explain(name: string, status: number | undefined): string {
  if (CREDENTIALS.has(name)) return 'the credentials are missing or were refused';
  if (status === 401 || status === 403)
    return 'access was denied: check the credentials and their rights on the bucket';
  if (name === 'NoSuchBucket') return 'the bucket does not exist';
  if (TIMEOUTS.has(name)) return 'no answer in time';
  return status === undefined ? 'it cannot be reached' : 'the call was refused';
}
