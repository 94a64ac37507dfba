/** Goes through a range of a tenant's index, and removes entries it lists. */
import { OutcomeUnknownError } from '../../errors.ts';
import type { TenantId } from '../../ids.ts';
import { type Keys, parseListing } from '../../keys.ts';
import { removeCacheEntries } from '../../redis/bindings/cache-invalidation-scripts.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { runScript } from '../../redis/script.ts';
import { type EntryRange, listingOf, rangeCommand } from './entry-range.ts';

/** As many as one call removes. */
export const WALK_BATCH = 500;
/** As many where each entry's lease goes with it. */
export const LEASED_BATCH = 250;

export interface Place {
  readonly id: TenantId;
  readonly generation: number;
  readonly signal?: AbortSignal | undefined;
}

/** Which of the entries go: remove-cache-entries.lua. */
export type Removal =
  | { readonly which: 'hidden' }
  /** `bound`: the seq at the start; what was written later stays. `seen` only counts. */
  | { readonly which: 'older' | 'seen'; readonly bound: number };

export interface Removed {
  readonly removed: number;
  /** Of memory. */
  readonly bytes: number;
  /** Those that a read would have seen. */
  readonly seen: number;
  /** False: a reply was lost, and what was asked again found less. */
  readonly sure: boolean;
}

export type EntryWalk = ReturnType<typeof createEntryWalk>;

export function createEntryWalk({ redis, keys }: { readonly redis: RedisDriver; readonly keys: Keys }) {
  return {
    /** Members of the range behind `after`, at most {@link WALK_BATCH}: fewer when it ends there. One round trip. */
    async page({ id, generation, signal }: Place, range: EntryRange, after: string | null): Promise<readonly string[]> {
      const command = rangeCommand(keys.index(id, generation), range, after, WALK_BATCH);
      const members = (await redis.send(command, { kind: 'read', signal })) as readonly string[];
      return members.filter((member) => member.startsWith(range.prefix));
    },

    /**
     * Removes what `removal` says of the entries, with the leases of those who load them where they are named or walked; one
     * round trip. @param members of any range. @throws {OutcomeUnknownError} a reply was lost twice; calling again is safe.
     */
    async remove({ id, generation, signal }: Place, members: readonly string[], removal: Removal): Promise<Removed> {
      if (members.length === 0) return { removed: 0, bytes: 0, seen: 0, sure: true };
      const listings = members.map(listingOf);
      const records = listings.map((member) => keys.listedRecord(id, generation, member));
      const leases =
        removal.which !== 'seen' ? listings.map((member) => keys.lease(id, generation, parseListing(member))) : [];
      const call = () =>
        runScript(redis, removeCacheEntries, {
          keys: { gate: keys.gate(id), index: keys.index(id, generation), records: [...records, ...leases] },
          args: {
            which: removal.which,
            bound: removal.which === 'hidden' ? 0 : removal.bound,
            count: records.length,
            accesses: [],
          },
          kind: removal.which === 'seen' ? 'read' : 'write',
          signal,
        });
      try {
        return { ...(await call()), sure: true };
      } catch (error) {
        if (!(error instanceof OutcomeUnknownError) || signal?.aborted) throw error;
        return { ...(await call()), sure: false };
      }
    },
  };
}
