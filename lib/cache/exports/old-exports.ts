/** Removes exports, and reports of loading them, 7 days after they were made: the work of the cleaning, once an hour. */
import type { BlobStore } from '../../blobs/store.ts';
import { EXPORTS, type Keys } from '../../keys.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { EXPORT_KEPT_MS } from './export-job.ts';

const LOOKED_FOR_MS = 3_600_000;

export type OldExports = ReturnType<typeof createOldExports>;

export function createOldExports(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly blobs: BlobStore;
  /** Unix ms. */
  readonly now: () => number;
}) {
  const { redis, keys, blobs, now } = deps;

  const removePages = async (signal?: AbortSignal): Promise<number> => {
    let [removed, cursor] = [0, undefined as string | undefined];
    do {
      const { items, nextCursor } = await blobs.list({ prefix: EXPORTS, cursor }, { signal });
      const old = items.filter(({ modifiedAtMs }) => modifiedAtMs < now() - EXPORT_KEPT_MS).map(({ key }) => key);
      if (old.length > 0) await blobs.delete(old, { signal });
      removed += old.length;
      cursor = nextCursor ?? undefined;
    } while (cursor !== undefined && !signal?.aborted);
    return removed;
  };

  return {
    /** @throws {BlobUnavailableError} what was found before is gone; the next run goes on. */
    async run(signal?: AbortSignal): Promise<{ readonly oldExportObjects: number }> {
      const looked = ['SET', keys.exportsLooked(), 1, 'NX', 'PX', LOOKED_FOR_MS] as const;
      if ((await redis.send(looked, { kind: 'write', signal })) === null) return { oldExportObjects: 0 };
      try {
        return { oldExportObjects: await removePages(signal) };
      } catch (error) {
        await redis.send(['DEL', keys.exportsLooked()], { kind: 'write' });
        throw error;
      }
    },
  };
}
