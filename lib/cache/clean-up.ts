/** Removes what has expired, tenant by tenant, by ranges of their indexes: cost in proportion to what is removed. */
import { unpackLimits } from '../gate/gate-fields.ts';
import type { TenantId } from '../ids.ts';
import { type Keys, parseExpiryMember } from '../keys.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { runScript } from '../redis/script.ts';
import { removeExpiredEntries } from '../redis/scripts.ts';
import type { Tenants } from '../tenants/tenants.ts';

export interface CleanUpReport {
  readonly tenants: number;
  readonly removed: number;
  readonly bytesFreed: number;
  /** False: time ran out; the next run goes on. */
  readonly finished: boolean;
}

interface DueTenant {
  readonly id: TenantId;
  readonly generation: number;
  /** Expiry members of its index, {@link BATCH} at most. */
  readonly members: readonly string[];
}

export type CleanUp = ReturnType<typeof createCleanUp>;

const BATCH = 500;
const TENANTS_PER_PAGE = 100;

export function createCleanUp(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly tenants: Tenants;
  /** Unix ms: only chooses candidates; Redis' own time decides. */
  readonly now: () => number;
}) {
  const { redis, keys, tenants, now } = deps;

  const dueOf = (index: string) => {
    const until = `(e\0${String(now() + 1).padStart(14, '0')}`;
    return ['ZRANGE', index, '[e\0', until, 'BYLEX', 'LIMIT', 0, BATCH] as const;
  };

  /** Those of a page that have something due: two round trips for all of them. */
  const findDue = async (page: readonly TenantId[], signal: AbortSignal | undefined) => {
    const options = { kind: 'read', signal } as const;
    const limits = await redis.sendAll(
      page.map((id) => ['HGET', keys.gate(id), 'h']),
      options,
    );
    const known = page.flatMap((id, i) => {
      const text = limits[i];
      return typeof text === 'string' ? [{ id, generation: unpackLimits(text).generation }] : [];
    });
    const due = await redis.sendAll(
      known.map(({ id, generation }) => dueOf(keys.index(id, generation))),
      options,
    );
    return known.flatMap((tenant, i) => {
      const members = due[i];
      return Array.isArray(members) && members.length > 0 ? [{ ...tenant, members: members as readonly string[] }] : [];
    });
  };

  const removeDue = async (tenant: DueTenant, signal: AbortSignal | undefined) => {
    const { id, generation } = tenant;
    const index = keys.index(id, generation);
    let { members } = tenant;
    let removed = 0;
    let bytesFreed = 0;
    for (;;) {
      const found = members.map(parseExpiryMember);
      const batch = await runScript(redis, removeExpiredEntries, {
        keys: { gate: keys.gate(id), index, entries: found.map(({ name }) => keys.cacheEntry(id, generation, name)) },
        args: {
          expiries: found.map(({ expiresAtMs }) => expiresAtMs),
        },
        kind: 'write',
        signal,
      });
      removed += batch.removed;
      bytesFreed += batch.bytes;
      if (members.length < BATCH || batch.removed === 0 || signal?.aborted) return { removed, bytesFreed };
      members = (await redis.send(dueOf(index), { kind: 'read', signal })) as readonly string[];
    }
  };

  return {
    /** One pass over all tenants; ends early when `signal` aborts. Safe to run twice, or beside itself. */
    async run(signal?: AbortSignal): Promise<CleanUpReport> {
      const report = { tenants: 0, removed: 0, bytesFreed: 0 };
      let after: TenantId | undefined;
      do {
        const page = await tenants.listIds({ after, limit: TENANTS_PER_PAGE });
        for (const tenant of await findDue(page, signal)) {
          if (signal?.aborted) return { ...report, finished: false };
          const { removed, bytesFreed } = await removeDue(tenant, signal);
          report.removed += removed;
          report.bytesFreed += bytesFreed;
        }
        report.tenants += page.length;
        after = page.length === TENANTS_PER_PAGE ? page.at(-1) : undefined;
      } while (after !== undefined);
      return { ...report, finished: true };
    },
  };
}
