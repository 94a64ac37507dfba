/**
 * Reclaims the memory of what was invalidated: goes through what each epoch may hide, removes what it does hide, and forgets the
 * epoch once nothing is left and no load that began before it can still end.
 */
import type { Keys } from '../../keys.ts';
import { settleInvalidation } from '../../redis/bindings/cache-invalidation-scripts.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { runScripts, scriptCall } from '../../redis/script.ts';
import { ALL_ENTRIES, type EntryRange, rangeCommand } from './entry-range.ts';
import { createEntryWalk, type Place, WALK_BATCH } from './entry-walk.ts';
import { type PendingField, type PendingInvalidations, readPending } from './pending-invalidations.ts';

/** As long as the longest lease: a load that began before an invalidation has ended then. */
export const MAX_LEASE_MS = 60_000;

/** Fields whose ranges are asked for, and that are settled, in one round trip. */
const FIELDS_A_TRIP = 100;
/** Batches that {@link Reclaim.some} looks at. */
const MAX_LOOKS = 8;

export interface Reclaimed {
  readonly removed: number;
  /** Of memory. */
  readonly bytes: number;
  /** The newest epoch of those up to which nothing is left that they hide; null: time ran out. */
  readonly upTo: number | null;
}

export type Reclaim = ReturnType<typeof createReclaim>;

export function createReclaim(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  /** Default: {@link MAX_LEASE_MS}. */
  readonly settleAfterMs?: number;
}) {
  const { redis, keys, settleAfterMs = MAX_LEASE_MS } = deps;
  const walk = createEntryWalk(deps);

  /** Removes what is hidden of a range; `members`: its first. */
  const reclaimRange = async (place: Place, range: EntryRange, members: readonly string[], total: Total) => {
    let page = members;
    for (;;) {
      const { removed, bytes } = await walk.remove(place, page, { which: 'hidden' });
      total.removed += removed;
      total.bytes += bytes;
      if (page.length < WALK_BATCH) return true;
      if (place.signal?.aborted) return false;
      page = await walk.page(place, range, page.at(-1) as string);
    }
  };

  /** The first members of each range; one round trip. */
  const firstPages = async ({ id, generation, signal }: Place, fields: readonly PendingField[]) => {
    const index = keys.index(id, generation);
    const commands = fields.map(({ range }) => rangeCommand(index, range, null, WALK_BATCH));
    const pages = await redis.sendAll(commands, { kind: 'read', signal });
    return pages.map((page) => {
      if (page instanceof Error) throw page;
      return page as readonly string[];
    });
  };

  const settle = async ({ id, signal }: Place, fields: readonly PendingField[]) => {
    const slots = { gate: keys.gate(id), invalidated: keys.invalidated(id) };
    const calls = fields.map(({ field, epoch }) =>
      scriptCall(settleInvalidation, { keys: slots, args: { field, epoch, afterMs: settleAfterMs } }),
    );
    // One that is not settled, whatever the reason, is met again.
    await runScripts(redis, calls, { kind: 'write', signal });
  };

  /** All of some fields; false: time ran out. */
  const reclaimFields = async (place: Place, fields: readonly PendingField[], walkedUpTo: number, total: Total) => {
    const toWalk = fields.filter(({ hides }) => hides > walkedUpTo);
    const pages = toWalk.length === 0 ? [] : await firstPages(place, toWalk);
    for (const [i, { range }] of toWalk.entries()) {
      if (place.signal?.aborted) return false;
      if (!(await reclaimRange(place, range, pages[i] as readonly string[], total))) return false;
    }
    await settle(place, fields);
    return true;
  };

  return {
    /** All that is pending. Ends early when the signal aborts; run again, or beside itself, it goes on. */
    async run(place: Place, known?: PendingInvalidations): Promise<Reclaimed> {
      const total: Total = { removed: 0, bytes: 0 };
      const pending = known ?? (await readPending(deps, place));
      const { fields, newest } = pending;
      // Once the whole was gone through, nothing is left that any of them hides.
      const whole = walksWhole(pending);
      const done = (upTo: number | null) => ({ ...total, upTo });
      if (whole && !(await reclaimRange(place, ALL_ENTRIES, await walk.page(place, ALL_ENTRIES, null), total))) {
        return done(null);
      }
      for (let at = 0; at < fields.length; at += FIELDS_A_TRIP) {
        const some = fields.slice(at, at + FIELDS_A_TRIP);
        if (!(await reclaimFields(place, some, whole ? newest : 0, total))) return done(null);
      }
      return done(newest);
    },

    /** Some of it, at once, to make room: a few round trips at most. @returns what that has freed; 0: nothing was found. */
    async some(place: Place): Promise<Omit<Reclaimed, 'upTo'>> {
      const pending = await readPending(deps, place);
      const ranges = walksWhole(pending)
        ? [ALL_ENTRIES]
        : pending.fields.flatMap(({ hides, range }) => (hides > 0 ? [range] : []));
      let looks = 0;
      for (const range of ranges) {
        let after: string | null = null;
        do {
          if (++looks > MAX_LOOKS) return { removed: 0, bytes: 0 };
          const page = await walk.page(place, range, after);
          const { removed, bytes } = await walk.remove(place, page, { which: 'hidden' });
          if (removed > 0) return { removed, bytes };
          after = page.length < WALK_BATCH ? null : (page.at(-1) as string);
        } while (after !== null);
      }
      return { removed: 0, bytes: 0 };
    },
  };
}

interface Total {
  removed: number;
  bytes: number;
}

/** Whether all entries are to be gone through, because all were invalidated, or some with a tag may not be listed by it. */
const walksWhole = ({ fields, unlisted }: PendingInvalidations): boolean =>
  fields[0]?.field === 'all' || (unlisted && fields.some(({ field }) => field.startsWith('t:')));
