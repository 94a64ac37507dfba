import { type AppError, ForbiddenError, QuotaExceededError, RateLimitedError, UnauthorizedError } from '../errors.ts';
import type { RedisReply } from '../redis/driver.ts';
import { type Admission, readAdmission } from './admission.ts';

/** Codes of includes/open-gate.lua. */
export const ADMITTED = 0;
export const CONTEXT_OLD = 8;

/** Whether it refused who called, and not how much: the key, its scope, or the state of its tenant. */
export const turnsAway = (reply: readonly RedisReply[]): boolean => Number(reply[0]) >= 1 && Number(reply[0]) <= 5;

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
      return { error: reply[1] === 'deleted' ? deleted() : suspended() };
    case 6:
      return burstUsed(reply);
    case 7:
      return minuteFull(reply);
    case 9:
      return ownLimited(reply);
    case 10:
      return transferFull(reply);
    default:
      throw new RangeError('Not a refusal of the gate');
  }
}

const suspended = () => new ForbiddenError('tenant_suspended', 'This tenant is suspended; ask an administrator');
const deleted = () =>
  new ForbiddenError('tenant_deleted', 'This tenant was deleted; an administrator can undo it until it is erased');

const scopeMissing = (scope: string) =>
  new ForbiddenError('scope_missing', `This key lacks the scope ${scope}`, { details: { scope } });

/** The tenant's own limit of calls that come at once. */
function burstUsed(reply: readonly RedisReply[]) {
  const admission = readAdmission(reply, 2);
  return { error: tooFast({ ...admission, name: 'burst' }, 'tenant', reply), admission };
}

/** A limit of the key's or the route's own: the last of those the reply tells. */
function ownLimited(reply: readonly RedisReply[]) {
  const admission = readAdmission(reply, 2);
  const { name = 'route', burst = 0, burstLeft = 0 } = admission.own.at(-1) ?? {};
  return { error: tooFast({ name, burst, burstLeft }, name, reply), admission };
}

function tooFast(
  { name, burst, burstLeft }: { readonly name: string; readonly burst: number; readonly burstLeft: number },
  who: string,
  reply: readonly RedisReply[],
) {
  const retryAfterMs = Math.max(1, Number(reply[1]));
  const details = { limited_by: name, used: burst - burstLeft, limit: burst, resets_in_ms: retryAfterMs };
  const message = `Calls come faster than this ${who} may: wait as long as Retry-After says, or ask for a larger burst`;
  return new RateLimitedError(message, { details, retryAfterMs });
}

function minuteFull(reply: readonly RedisReply[]) {
  const admission = readAdmission(reply, 2);
  const retryAfterMs = Math.max(1, Number(reply[1]));
  const { perMinute: limit, minuteLeft } = admission;
  const details = { resource: 'operations_per_minute', used: limit - minuteLeft, limit, resets_in_ms: retryAfterMs };
  const message = 'Quota operations_per_minute is used up until the next minute';
  return { error: new QuotaExceededError(message, { details, retryAfterMs }), admission };
}

function transferFull(reply: readonly RedisReply[]) {
  const admission = readAdmission(reply, 2);
  const retryAfterMs = Math.max(1, Number(reply[1]));
  const details = {
    resource: 'data_transfer_bytes',
    used: Number(reply[7]),
    limit: Number(reply[8]),
    resets_in_ms: retryAfterMs,
  };
  const message = 'Quota data_transfer_bytes is used up until the next month; ask for a larger one';
  return { error: new QuotaExceededError(message, { details, retryAfterMs }), admission };
}
