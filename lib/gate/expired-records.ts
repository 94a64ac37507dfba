/**
 * Records of a tenant that have expired: found by a range of an index, removed by a script that looks at each again. A tenant has
 * two: that of its generation, and that of what no generation takes away ({@link KEPT_GENERATION}).
 */
import type { TenantId } from '../ids.ts';
import { KEPT_GENERATION, type Keys, parseExpiryMember } from '../keys.ts';
import { removeExpiredRecords } from '../redis/bindings/record-scripts.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { runScript } from '../redis/script.ts';

/** As many as one call removes, of one index. */
export const EXPIRED_BATCH = 500;

export type ExpiredRecords = ReturnType<typeof createExpiredRecords>;

export function createExpiredRecords(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  /** Unix ms: only chooses candidates; Redis' own time decides. */
  readonly now: () => number;
}) {
  const { redis, keys, now } = deps;

  /** Asks for the expiry members of an index that are due, {@link EXPIRED_BATCH} at most. */
  const dueCommand = (id: TenantId, generation: number) => {
    const until = `(e\0${String(now() + 1).padStart(14, '0')}`;
    const index = keys.index(id, generation);
    return ['ZRANGE', index, '[e\0', until, 'BYLEX', 'LIMIT', 0, EXPIRED_BATCH] as const;
  };

  /** The members of an index that are due; one round trip. */
  const findDue = async (id: TenantId, generation: number, signal?: AbortSignal): Promise<readonly string[]> =>
    (await redis.send(dueCommand(id, generation), { kind: 'read', signal })) as readonly string[];

  /** Removes those of an index's members that are still due; one round trip. @throws {RangeError} a member is damaged. */
  const remove = (id: TenantId, generation: number, members: readonly string[], signal?: AbortSignal) => {
    const found = members.map(parseExpiryMember);
    return runScript(redis, removeExpiredRecords, {
      keys: {
        gate: keys.gate(id),
        index: keys.index(id, generation),
        records: [
          ...found.map(({ kind, name }) => keys.counted(id, generation, kind, name)),
          ...found.map(({ name }) => keys.lease(id, generation, name)),
        ],
      },
      args: { expiries: found.map(({ expiresAtMs }) => expiresAtMs) },
      kind: 'write',
      signal,
    });
  };

  return {
    dueCommand,
    findDue,
    remove,

    /**
     * Makes room before a call is refused because there is none: one batch of each index. A round trip to look at both, and one
     * for each that has something due. @returns how many records are gone.
     */
    async free(id: TenantId, generation: number, signal?: AbortSignal): Promise<number> {
      const generations = [generation, KEPT_GENERATION];
      const commands = generations.map((each) => dueCommand(id, each));
      const found = await redis.sendAll(commands, { kind: 'read', signal });
      let removed = 0;
      for (const [i, members] of found.entries()) {
        if (members instanceof Error) throw members;
        const due = members as readonly string[];
        if (due.length > 0) removed += (await remove(id, generations[i] as number, due, signal)).removed;
      }
      return removed;
    },
  };
}
