/** Brings sessions back into Redis before they are asked for, some at once, as long as there is room. */
import { BlobUnavailableError, isStoreFull, SessionCorruptError, SessionLostError } from '../../errors.ts';
import type { TenantContext } from '../../gate/context-format.ts';
import type { TenantPlace } from '../../tenants/tenant-place.ts';
import type { SessionNeed } from '../session-outcomes.ts';
import type { Restorer } from './restorer.ts';

/** Whose, and as which it was found. */
export interface ColdFound {
  readonly ulid: string;
  readonly stub: string;
}

/** `cold`: it stays where it is, for want of room or because S3 does not have it now. */
export type Offered = 'restored' | 'cold' | 'changed';

export interface OfferOptions {
  readonly context: Pick<TenantContext, 'sessions'>;
  /** Whether the share was raised so that it has room. */
  readonly grow: (need: SessionNeed) => Promise<boolean>;
  /** Asked before each: whether to leave the rest. */
  readonly isOver?: () => boolean;
}

const AT_ONCE = 8;

export type Prefetcher = ReturnType<typeof createPrefetcher>;

export function createPrefetcher({ restorer }: { readonly restorer: Pick<Restorer, 'offer'> }) {
  const offer = async (place: TenantPlace, { ulid, stub }: ColdFound, { context, grow }: OfferOptions) => {
    try {
      return await restorer.offer({ place, context, ulid, stub }, grow);
    } catch (error) {
      // Who reads it is told; it has been told of already.
      if (error instanceof SessionLostError || error instanceof SessionCorruptError) return 'unreadable';
      if (error instanceof BlobUnavailableError || isStoreFull(error)) return 'cold';
      throw error;
    }
  };

  return {
    /**
     * In their order, 8 at once. Once one has no room, the rest is left where it is: S3 is not asked for what cannot come.
     * @returns what became of each, in their order. @throws as RedisDriver.send; some may be back.
     */
    async offerAll(
      place: TenantPlace,
      found: readonly ColdFound[],
      options: OfferOptions,
    ): Promise<readonly Offered[]> {
      const outcomes: Offered[] = found.map(() => 'cold');
      const waiting = found.entries();
      let full = false;
      const work = async () => {
        for (const [i, one] of waiting) {
          if (full || options.isOver?.()) return;
          const outcome = await offer(place, one, options);
          outcomes[i] = outcome === 'unreadable' ? 'cold' : outcome;
          full ||= outcome === 'cold';
        }
      };
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, found.length) }, work));
      return outcomes;
    },
  };
}
