import { reasonOf, sdkError, statusOf } from '../aws/sdk-error.ts';
import { type AppError, KeyProviderUnavailableError, type KeyRefusal, KeyRefusedError } from '../errors.ts';

const RETRY_AFTER_MS = 1000;

/**
 * What KMS says about a key, and about nothing else. Refused credentials are not among them: they say that this process
 * is set up wrongly, not that the key was taken from it, so a cached key may go on for a while.
 */
const REFUSALS: Readonly<Record<string, KeyRefusal>> = {
  NotFoundException: 'unknown_key',
  InvalidArnException: 'unknown_key',
  ValidationException: 'unknown_key',
  IncorrectKeyException: 'wrong_key',
  InvalidCiphertextException: 'wrong_key',
  InvalidKeyUsageException: 'wrong_key',
  AccessDeniedException: 'access_denied',
  DisabledException: 'key_disabled',
  // Pending deletion, pending import and the like.
  KMSInvalidStateException: 'key_disabled',
};

const EXPLAINED: Readonly<Record<KeyRefusal, string>> = {
  unknown_key: 'there is no such master key',
  wrong_key: 'this key was not wrapped by that master key for this tenant, or it is damaged',
  access_denied: 'access to the master key is denied',
  key_disabled: 'the master key is disabled, or about to be deleted',
  destroyed: 'the data key was destroyed',
};

/**
 * The error a caller of the provider sees. It names the operation and KMS's own code; never a key, a context or a secret,
 * so the SDK's error is not its cause.
 */
export function kmsFailure(operation: string, error: unknown): AppError {
  const { name } = sdkError(error);
  const status = statusOf(error);
  const details = { operation, ...(status === undefined ? {} : { status }) };
  const refusal = Object.hasOwn(REFUSALS, name) ? REFUSALS[name] : undefined;
  if (refusal !== undefined) {
    return new KeyRefusedError(refusal, `Key provider: ${EXPLAINED[refusal]} (${operation}: ${name})`, { details });
  }
  const reason = reasonOf(error);
  const what = status === undefined ? 'it cannot be reached' : 'the call was refused';
  return new KeyProviderUnavailableError(`Key provider: ${what} (${operation}: ${reason})`, {
    details: { ...details, reason },
    retryAfterMs: RETRY_AFTER_MS,
  });
}
