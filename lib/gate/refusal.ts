import { type AppError, ForbiddenError, QuotaExceededError, RateLimitedError, UnauthorizedError } from '../errors.ts';
import type { RedisReply } from '../redis/driver.ts';
import { type Admission, readAdmission } from './admission.ts';

/** Codes of includes/open-gate.lua. */
export const ADMITTED = 0;
export const CONTEXT_OLD = 8;

/** The error that says why the gate refused, and the limits to report where it was a limit. */
export function refusal(
  reply: readonly RedisReply[],
  scope: string,
): { readonly error: AppError; readonly admission?: Admission } {
  switch (reply[0]) {
    case 1:
      return { error: new UnauthorizedError('key_unknown') };
    case 2:
      return { error: new UnauthorizedError('key_expired') };
    case 3:
      return { error: new UnauthorizedError('key_revoked') };
    case 4:
      return { error: scopeMissing(scope) };
    case 5:
      return { error: new ForbiddenError('tenant_suspended', 'This tenant is suspended; ask an administrator') };
    case 6:
      return limited(reply, 'Calls come faster than this tenant may; slow down', RateLimitedError);
    case 7:
      return limited(reply, 'Quota operations_per_minute is used up until the next minute', QuotaExceededError);
    default:
      throw new RangeError('Not a refusal of the gate');
  }
}

const scopeMissing = (scope: string) =>
  new ForbiddenError('scope_missing', `This key lacks the scope ${scope}`, { details: { scope } });

function limited(
  reply: readonly RedisReply[],
  message: string,
  Refused: typeof RateLimitedError | typeof QuotaExceededError,
) {
  const admission = readAdmission(reply, 2);
  const retryAfterMs = Math.max(1, Number(reply[1]));
  const limit = Refused === RateLimitedError ? admission.burst : admission.perMinute;
  const left = Refused === RateLimitedError ? admission.burstLeft : admission.minuteLeft;
  const details = { used: limit - left, limit, resets_in_ms: retryAfterMs };
  return { error: new Refused(message, { details, retryAfterMs }), admission };
}
