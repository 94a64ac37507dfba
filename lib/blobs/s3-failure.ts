import { BlobUnavailableError } from '../errors.ts';

/** What of an SDK error is read. Its message and fields may name keys or parts of the signature: they stay unread. */
interface SdkError {
  readonly name: string;
  /** Of a socket error, as `ECONNREFUSED`; a DOMException has a number here. */
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
}

const RETRY_AFTER_MS = 1000;
const CREDENTIALS = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'ExpiredToken',
  'InvalidToken',
  'CredentialsProviderError',
]);
const TIMEOUTS = new Set(['TimeoutError', 'AbortError']);

/** Reads what went wrong; safe for anything thrown. */
export function sdkError(error: unknown): SdkError {
  return error instanceof Error ? error : { name: 'Unknown' };
}

/** The HTTP status S3 answered with; undefined when it did not answer. */
export const statusOf = (error: unknown): number | undefined => sdkError(error).$metadata?.httpStatusCode;

/** How many times the SDK had sent the request. */
export const attemptsOf = (error: unknown): number => sdkError(error).$metadata?.attempts ?? 1;

/**
 * The error a caller of the store sees. It names the operation and S3's own code; never a key, a value or a secret,
 * so the SDK's error is not its cause.
 */
export function blobFailure(operation: string, error: unknown): BlobUnavailableError {
  const { name, code } = sdkError(error);
  const status = statusOf(error);
  const reason = typeof code === 'string' ? code : name;
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
