/**
 * Deletes objects in S3 that no cache entry and no session uses: replaced, removed or expired with it, or never taken into use.
 */
import type { BlobStore } from '../blobs/store.ts';
import type { TenantId } from '../ids.ts';
import { doomedBlob, type Keys } from '../keys.ts';
import type { RedisDriver } from '../redis/driver.ts';

/** Longer than a read takes that has met the entry or the session before. */
export const DOOMED_FOR_MS = 60_000;
/** As many as S3 deletes in one call. */
const BATCH = 1_000;

export type DoomedObjects = ReturnType<typeof createDoomedObjects>;

export function createDoomedObjects(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly blobs: Pick<BlobStore, 'delete'>;
}) {
  const { redis, keys, blobs } = deps;

  /** Asks for members of the index that are due, `limit` at most. @param horizon as `horizonMs`: an object under way must not go. */
  const dueCommand = (id: TenantId, generation: number, horizon: number, limit = 1) => {
    const until = `[d\0${String(Math.max(0, horizon - DOOMED_FOR_MS)).padStart(14, '0')}\0~`;
    return ['ZRANGE', keys.index(id, generation), '[d\0', until, 'BYLEX', 'LIMIT', 0, limit] as const;
  };

  /** What was given up before then may go: now, by Redis' clock, or when the oldest checkpoint began, which may name it. */
  const horizonMs = async (signal?: AbortSignal): Promise<number> => {
    const [time, oldest] = await redis.sendAll([['TIME'], ['GET', keys.checkpointsOldest()]], { kind: 'read', signal });
    for (const reply of [time, oldest]) if (reply instanceof Error) throw reply;
    const [seconds, us] = time as readonly string[];
    const nowMs = Number(seconds) * 1000 + Math.floor(Number(us) / 1000);
    return typeof oldest === 'string' ? Math.min(nowMs, Number(oldest)) : nowMs;
  };

  return {
    dueCommand,
    horizonMs,

    /**
     * Deletes the objects that have been due for a minute, then forgets them: ended in between, it is done again. Three calls
     * for each 1,000. @returns how many. @throws {BlobUnavailableError} those of the batches before are gone.
     */
    async collectDoomed(id: TenantId, generation: number, signal?: AbortSignal): Promise<number> {
      const until = await horizonMs(signal);
      let collected = 0;
      while (!signal?.aborted) {
        const command = dueCommand(id, generation, until, BATCH);
        const members = (await redis.send(command, { kind: 'read', signal })) as readonly string[];
        if (members.length === 0) return collected;
        const objects = members.flatMap((member) => doomedBlob(id, member) ?? []);
        await blobs.delete(objects, { signal });
        await redis.send(['ZREM', keys.index(id, generation), ...members], { kind: 'write', signal });
        collected += members.length;
        if (members.length < BATCH) return collected;
      }
      return collected;
    },
  };
}
