/** Removes the tombstones of sessions that could not live any more, whatever brought them back. */
import type { TenantId } from '../ids.ts';
import type { Keys } from '../keys.ts';
import { removeTombstones } from '../redis/bindings/spill-scripts.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { runScript } from '../redis/script.ts';

/** As many as one call removes. */
const BATCH = 500;

export type Tombstones = ReturnType<typeof createTombstones>;

export function createTombstones({ redis, keys }: { readonly redis: RedisDriver; readonly keys: Keys }) {
  return {
    /** Asks for one that is due by `nowMs`, which only chooses candidates: Redis' own time decides. */
    dueCommand: (id: TenantId, nowMs: number) =>
      ['ZRANGEBYSCORE', keys.deadSessions(id), '-inf', nowMs, 'LIMIT', 0, 1] as const,

    /** All that are due, with their bytes; a round trip for each 500. Ends early when `signal` aborts. */
    async remove(id: TenantId, signal?: AbortSignal): Promise<{ readonly removed: number; readonly bytes: number }> {
      const sum = { removed: 0, bytes: 0 };
      for (;;) {
        const { removed, bytes } = await runScript(redis, removeTombstones, {
          keys: { gate: keys.gate(id), dead: keys.deadSessions(id) },
          args: { limit: BATCH },
          kind: 'write',
          signal,
        });
        sum.removed += removed;
        sum.bytes += bytes;
        if (removed < BATCH || signal?.aborted) return sum;
      }
    },
  };
}
