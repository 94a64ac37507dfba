/** Frees reservations that nobody settled in time: also those that no refused call has met. */
import type { TenantId } from '../ids.ts';
import type { Keys } from '../keys.ts';
import { freeAbandonedHolds } from '../redis/bindings/quota-scripts.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { runScript } from '../redis/script.ts';
import { tenantPages } from '../tenants/tenant-pages.ts';
import type { Tenants } from '../tenants/tenants.ts';

export type AbandonedHolds = ReturnType<typeof createAbandonedHolds>;

/** As many as one run of the script frees. */
const BATCH = 500;

export function createAbandonedHolds(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly tenants: Pick<Tenants, 'listIds'>;
  /** Unix ms: only chooses candidates; Redis' own time decides. */
  readonly now: () => number;
}) {
  const { redis, keys, tenants, now } = deps;

  /** Those of a page that have something abandoned: one round trip for all of them. */
  const findDue = async (page: readonly TenantId[], signal: AbortSignal | undefined) => {
    const due = await redis.sendAll(
      page.map((id) => ['ZCOUNT', keys.holds(id), '-inf', now()]),
      { kind: 'read', signal },
    );
    return page.filter((_id, i) => Number(due[i]) > 0);
  };

  const freeAll = async (id: TenantId, signal: AbortSignal | undefined) => {
    let freed = 0;
    for (;;) {
      const batch = await runScript(redis, freeAbandonedHolds, {
        keys: { gate: keys.gate(id), holds: keys.holds(id) },
        args: {},
        kind: 'write',
        signal,
      });
      freed += batch;
      if (batch < BATCH || signal?.aborted) return freed;
    }
  };

  return {
    /** One pass over all tenants; ends early when `signal` aborts. Safe to run twice, or beside itself. */
    async run(signal?: AbortSignal): Promise<{ readonly reservationsFreed: number }> {
      let reservationsFreed = 0;
      for await (const page of tenantPages(tenants, signal)) {
        for (const id of await findDue(page, signal)) {
          if (signal?.aborted) break;
          reservationsFreed += await freeAll(id, signal);
        }
      }
      return { reservationsFreed };
    },
  };
}
