/** When an API key may end. */
import { InvalidRequestError } from '../errors.ts';

/**
 * A key that has ended before it is shown would work never, and take one of the tenant's places.
 * @param endsAt ISO 8601; null or absent: no end, or the one it had.
 * @throws {InvalidRequestError} it is not after `nowMs`.
 */
export function requireToCome(endsAt: string | null | undefined, nowMs: number): void {
  if (endsAt === null || endsAt === undefined || Date.parse(endsAt) > nowMs) return;
  const issues = [{ field: 'body.expires_at', message: 'must be in the future' }];
  throw new InvalidRequestError('This key would have expired already', { issues });
}
