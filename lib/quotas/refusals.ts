/** The errors of quotas beside those of the gate: each says what is used, what may be, and when that begins anew. */
import { ReservationError, StorageFullError } from '../errors.ts';
import type { QuotaResponse } from './contract.ts';
import type { Resource } from './quota-state.ts';

/** Memory or storage. `used` includes what is held. */
export function full(resource: Resource, { used, held, limit, resets_in_ms }: QuotaResponse): StorageFullError {
  const isMemory = resource === 'memory_bytes';
  return new StorageFullError(
    isMemory ? 'memory_full' : 'storage_full',
    `The tenant's ${isMemory ? 'memory' : 'storage'} is full: remove something, or ask for a larger quota`,
    { details: { resource, used: used + held, limit, resets_in_ms } },
  );
}

export const tooMany = (limit: number): ReservationError =>
  new ReservationError('reservation_limit_reached', 'As many reservations are open as may be; settle some first', {
    details: { used: limit, limit, resets_in_ms: null },
  });

export const tooSmall = ({ reserved, amount }: { readonly reserved: number; readonly amount: number }) =>
  new ReservationError('reservation_too_small', 'More was used than reserved; the reservation stands as it was', {
    details: { reserved, amount },
  });

export const tooLarge = (details: {
  readonly resource: Resource;
  readonly committed: number;
  readonly amount: number;
}) =>
  new ReservationError('release_too_large', 'More is given back than was committed; nothing was changed', { details });
