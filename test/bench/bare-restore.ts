/** What a program without Riptide would do to fill a Redis: a pipelined loop of `SET` with its time to live, and nothing else. */
import type { Redis } from 'ioredis';

const BATCH = 1_000;
/** Pipelines that are under way at one time. */
const AT_ONCE = 3;

/** @param entryOf key and value of a record. @throws {Error} one was not written. */
export async function bareWrites(
  redis: Redis,
  { records, entryOf }: { readonly records: number; entryOf(record: number): readonly [string, string] },
): Promise<void> {
  let from = 0;
  const work = async () => {
    while (from < records) {
      const pipeline = redis.pipeline();
      const until = Math.min(from + BATCH, records);
      for (; from < until; from++) {
        const [key, value] = entryOf(from);
        pipeline.set(key, value, 'PX', 86_400_000);
      }
      for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}
