/** What a batch may name, and how it is parted into trips to Redis. Pure. */
import { AppError, InvalidRequestError, type Issue } from '../../errors.ts';
import { MAX_KEY_BYTES } from '../../keys.ts';
import { isKey, NAMESPACE } from '../entry-rules.ts';

/** Of one call. */
export const MAX_BATCH_ITEMS = 1_000;
/** Of one round trip. */
export const MAX_TRIP_ITEMS = 100;
/** Of one round trip, as it travels: a script that takes longer would hold up other tenants. */
export const MAX_TRIP_BYTES = 4 * 1024 * 1024;

/** @throws {InvalidRequestError} no batch: none, too many, a name of no entry, or one twice. Keys are told by their places. */
export function checkBatch(namespace: string, keys: readonly string[]): void {
  const issues: Issue[] = [];
  if (!NAMESPACE.test(namespace)) issues.push({ field: 'namespace', message: 'must be 1 to 64 of A-Z a-z 0-9 . _ -' });
  if (keys.length === 0 || keys.length > MAX_BATCH_ITEMS) {
    issues.push({ field: 'keys', message: `must be 1 to ${MAX_BATCH_ITEMS}` });
  } else issues.push(...keyIssues(keys));
  if (issues.length > 0) throw new InvalidRequestError('The batch cannot be run', { issues });
}

function keyIssues(keys: readonly string[]): readonly Issue[] {
  const places = new Map<string, number>();
  return keys.flatMap((key, place) => {
    const field = `keys.${place}`;
    if (!isKey(key)) return [{ field, message: `must be 1 to ${MAX_KEY_BYTES} bytes of well-formed text` }];
    const before = places.get(key);
    if (before !== undefined) return [{ field, message: `is the same key as keys.${before}` }];
    places.set(key, place);
    return [];
  });
}

/** Parts a list, in its order: each trip has at most so many items and bytes, or one item. */
export function inTrips<T>(items: readonly T[], bytesOf: (item: T) => number): readonly (readonly T[])[] {
  const trips: T[][] = [];
  let bytes = 0;
  for (const item of items) {
    const own = bytesOf(item);
    const trip = trips.at(-1);
    if (trip === undefined || trip.length === MAX_TRIP_ITEMS || bytes + own > MAX_TRIP_BYTES) {
      trips.push([item]);
      bytes = own;
    } else {
      trip.push(item);
      bytes += own;
    }
  }
  return trips;
}

/** Bytes of a value as it travels at most: text that is escaped on its way, or base64, which sealed and packed values are. */
export function travelBytes(value: Uint8Array): number {
  let escaped = 0;
  for (const byte of value) escaped += byte < 0x20 ? 6 : byte === 0x22 || byte === 0x5c ? 2 : 1;
  return Math.max(escaped, base64Bytes(value.length));
}

export const base64Bytes = (bytes: number): number => 4 * Math.ceil(bytes / 3);

/**
 * Sends trips one after another: what is stored, and what is refused, is so in the order of the batch. When one fails, those
 * behind it are not sent.
 * @param failed what becomes of an item of a trip that failed or was not sent.
 * @throws what the first trip throws; of any, what is no AppError.
 */
export async function sendInTurn<T, Outcome>(
  trips: readonly (readonly T[])[],
  send: (trip: readonly T[]) => Promise<readonly Outcome[]>,
  failed: (item: T, error: AppError) => Outcome,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const [place, trip] of trips.entries()) {
    try {
      outcomes.push(...(await send(trip)));
    } catch (error) {
      if (place === 0 || !(error instanceof AppError)) throw error;
      return [...outcomes, ...trips.slice(place).flatMap((rest) => rest.map((item) => failed(item, error)))];
    }
  }
  return outcomes;
}
