/**
 * What passes do not look at, for they see only tenants that have part of the memory: shares the pool has lost, and sessions in
 * quarantine that have ended. By the schedule that cleans.
 */
import type { Config } from '../../config/config.ts';
import type { Keys } from '../../keys.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { tenantPages } from '../../tenants/tenant-pages.ts';
import type { Tenants } from '../../tenants/tenants.ts';
import type { SessionBudget } from './budget/session-budget.ts';

export interface UpkeepReport {
  /** Shares of the session memory that were not counted, and are now. */
  readonly sharesAdopted: number;
  /** Of tenants that are no more. */
  readonly sharesReleased: number;
}

export type SessionUpkeep = ReturnType<typeof createSessionUpkeep>;

export function createSessionUpkeep(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly config: Pick<Config, 'sessions'>;
  readonly tenants: Pick<Tenants, 'listIds'>;
  readonly budget: Pick<SessionBudget, 'reconcile'>;
  /** Unix ms. */
  readonly now: () => number;
}) {
  const { redis, keys, config, tenants, budget, now } = deps;
  return {
    /** One pass over all tenants, a round trip for each hundred; ends early when `signal` aborts. Safe beside itself. */
    async run(signal?: AbortSignal): Promise<UpkeepReport> {
      let sharesAdopted = 0;
      let sharesReleased = 0;
      for await (const page of tenantPages(tenants, signal)) {
        const { adopted, released } = await budget.reconcile(page, signal);
        sharesAdopted += adopted;
        sharesReleased += released;
      }
      // No session lives longer.
      const ended = now() - config.sessions.maxLifetimeMs;
      const forget = ['ZREMRANGEBYSCORE', keys.sessionQuarantine(), '-inf', ended] as const;
      await redis.send(forget, { kind: 'write', signal });
      return { sharesAdopted, sharesReleased };
    },
  };
}
