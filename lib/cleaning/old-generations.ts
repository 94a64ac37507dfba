/**
 * Reclaims generations of a tenant's data that are not the current one any more, or never became it: the one that a restore
 * replaced, and the one that a restore gave up. What they took is not counted any more; it still is in Redis and S3.
 */
import type { TenantId } from '../ids.ts';
import type { Keys } from '../keys.ts';
import { reclaimGeneration } from '../redis/bindings/old-generation-scripts.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { runScript } from '../redis/script.ts';
import type { TenantPlace } from '../tenants/tenant-place.ts';

/**
 * As long as cleaning leaves a generation alone that was retired: a restore may still read what was written to it last. One that
 * needs it longer sets its score in {@link Keys.generations} to now again; one that needs it no more calls `reclaim` itself.
 */
export const RETIRED_FOR_MS = 3_600_000;

/** Records that one call removes. */
const PAGE = 200;
/** Generations of one tenant that a pass looks at. */
const MAX_GENERATIONS = 10;
/** What is given for a generation that the script leaves as it is, and for one that is gone. */
const [LEFT, GONE] = [0, 2];

export interface ReclaimedGeneration {
  /** Removed by this call. */
  readonly records: number;
  /** In S3: they wait to be deleted from here on, as `doomed-objects.ts` does. */
  readonly objects: number;
  /** False: there is more of it, or it may not go: it is being loaded, or one that was retired before it is still there. */
  readonly gone: boolean;
}

/** Which one, and how far. */
export interface OldGeneration {
  readonly generation: number;
  /** It was being loaded, and nobody does any more: whoever says so must know. Default: it is left then. */
  readonly abandoned?: boolean;
  /** Of 200 records each. Default: all there are. */
  readonly maxPages?: number;
}

export type OldGenerations = ReturnType<typeof createOldGenerations>;

export function createOldGenerations({ redis, keys }: { readonly redis: RedisDriver; readonly keys: Keys }) {
  const nextPage = async (id: TenantId, generation: number, signal?: AbortSignal): Promise<readonly string[]> => {
    const command = ['ZRANGE', keys.index(id, generation), '[k\0', '(k\x01', 'BYLEX', 'LIMIT', 0, PAGE] as const;
    return (await redis.send(command, { kind: 'read', signal })) as readonly string[];
  };

  const removePage = (
    { id, generation: current, signal }: TenantPlace,
    { generation, abandoned = false }: OldGeneration,
    members: readonly string[],
  ) =>
    runScript(redis, reclaimGeneration, {
      keys: {
        gate: keys.gate(id),
        index: keys.index(id, current),
        old: keys.index(id, generation),
        lately: keys.sessionsLately(id, generation),
        generations: keys.generations(id),
        records: members.map((member) => keys.listedRecord(id, generation, member)),
      },
      args: { abandoned: abandoned ? 1 : 0, members },
      kind: 'write',
      signal,
    });

  return {
    /** Asks for generations that cleaning may reclaim, the oldest first. @param nowMs only chooses candidates. */
    dueCommand: (id: TenantId, nowMs: number) =>
      ['ZRANGEBYSCORE', keys.generations(id), '(0', nowMs - RETIRED_FOR_MS, 'LIMIT', 0, MAX_GENERATIONS] as const,

    /**
     * A generation, page by page; two round trips for each. Safe at every step, to be run again, and beside itself.
     * @param place with the tenant's current generation: when it is another by now, nothing is done.
     */
    async reclaim(place: TenantPlace, old: OldGeneration): Promise<ReclaimedGeneration> {
      const sum = { records: 0, objects: 0 };
      for (let pages = old.maxPages ?? Number.POSITIVE_INFINITY; pages > 0 && !place.signal?.aborted; pages--) {
        const members = await nextPage(place.id, old.generation, place.signal);
        const { state, records, objects } = await removePage(place, old, members);
        sum.records += records;
        sum.objects += objects;
        if (state === LEFT || state === GONE) return { ...sum, gone: state === GONE };
      }
      return { ...sum, gone: false };
    },
  };
}
