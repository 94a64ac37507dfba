/** The errors of quotas beside those of the gate: each says what is used and what may be. */
import { ReservationError, type StorageFullError } from '../errors.ts';
import { memoryFull, storageFull } from '../gate/full.ts';
import type { QuotaResponse } from './contract.ts';
import type { Resource } from './quota-state.ts';

/** Memory or storage, for which `needed` bytes more were to be held. */
export function full(resource: Resource, { used, held, limit }: QuotaResponse, needed: number): StorageFullError {
  const refuse = resource === 'memory_bytes' ? memoryFull : storageFull;
  return refuse({ used, held, needed, limit }, 'remove something, or ask for a larger quota');
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
