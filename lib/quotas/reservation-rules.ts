/** What a reservation may be: for callers of lib/, whom no schema has checked. Pure. */
import { InvalidRequestError, NotFoundError } from '../errors.ts';
import { HOLD_ID } from '../ids.ts';
import { MAX_AMOUNT, MAX_TTL_SECONDS, MIN_TTL_SECONDS } from './limits.ts';

/** @throws {InvalidRequestError} */
export function checkAmount(amount: number): void {
  if (Number.isInteger(amount) && amount >= 1 && amount <= MAX_AMOUNT) return;
  throw invalid('amount', `must be a whole number from 1 to ${MAX_AMOUNT}`);
}

/** @throws {InvalidRequestError} */
export function checkTtl(ttlMs: number): void {
  if (Number.isInteger(ttlMs) && ttlMs >= MIN_TTL_SECONDS * 1_000 && ttlMs <= MAX_TTL_SECONDS * 1_000) return;
  throw invalid('ttlMs', `must be whole milliseconds from ${MIN_TTL_SECONDS} s to ${MAX_TTL_SECONDS} s`);
}

/** @throws {NotFoundError} it cannot be the id of a reservation. */
export function checkHoldId(id: string): void {
  if (!HOLD_ID.test(id)) throw noReservation();
}

export const noReservation = () =>
  new NotFoundError('reservation_not_found', 'No such reservation: it was settled, its time was over, or it never was');

const invalid = (field: string, message: string) =>
  new InvalidRequestError('The reservation does not fit its rules', { issues: [{ field, message }] });
