/**
 * Finds tenants whose last change is not yet told: audit entries left in their outbox, or no place in the list, as tenants
 * of before there was one. Whatever ended a change half-way, this ends it.
 */
import type { TenantId } from '../ids.ts';
import type { Keys } from '../keys.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { readTogether } from '../redis/read-together.ts';
import type { Publisher } from './publisher.ts';
import { tenantPages } from './tenant-pages.ts';
import type { Tenants } from './tenants.ts';

export interface PublishReport {
  readonly published: number;
}

export type Unpublished = ReturnType<typeof createUnpublished>;

export function createUnpublished(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly tenants: Pick<Tenants, 'listIds'>;
  readonly publisher: Publisher;
}) {
  const { redis, keys, tenants, publisher } = deps;

  /** Those of a page that have something to tell; one round trip for all of them. */
  const findLeft = async (page: readonly TenantId[], signal: AbortSignal | undefined) => {
    const commands = [
      ['HMGET', keys.tenantSummary(), ...page] as const,
      ...page.map((id) => ['HEXISTS', keys.gate(id), 'o'] as const),
    ];
    const replies = await readTogether(redis, commands, { signal });
    const summaries = replies[0] as readonly (string | null)[];
    return page.filter((_id, i) => summaries[i] === null || replies[i + 1] === 1);
  };

  return {
    /** One pass over all tenants. Safe to run twice, or beside itself. @throws what Redis does; the next run goes on. */
    async publishLeft(signal?: AbortSignal): Promise<PublishReport> {
      let published = 0;
      for await (const page of tenantPages(tenants, signal)) {
        for (const id of await findLeft(page, signal)) {
          if (signal?.aborted) return { published };
          await publisher.republish(id, signal);
          published++;
        }
      }
      return { published };
    },
  };
}
