/** Records of a tenant that have expired: found by a range of its index, removed by a script that looks at each again. */
import type { TenantId } from '../ids.ts';
import { type Keys, parseExpiryMember } from '../keys.ts';
import { removeExpiredRecords } from '../redis/bindings/record-scripts.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { runScript } from '../redis/script.ts';

/** As many as one call removes. */
export const EXPIRED_BATCH = 500;

export type ExpiredRecords = ReturnType<typeof createExpiredRecords>;

export function createExpiredRecords(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  /** Unix ms: only chooses candidates; Redis' own time decides. */
  readonly now: () => number;
}) {
  const { redis, keys, now } = deps;

  /** Asks for the expiry members that are due, {@link EXPIRED_BATCH} at most. */
  const dueCommand = (id: TenantId, generation: number) => {
    const until = `(e\0${String(now() + 1).padStart(14, '0')}`;
    const index = keys.index(id, generation);
    return ['ZRANGE', index, '[e\0', until, 'BYLEX', 'LIMIT', 0, EXPIRED_BATCH] as const;
  };

  /** The members that are due; one round trip. */
  const findDue = async (id: TenantId, generation: number, signal?: AbortSignal): Promise<readonly string[]> =>
    (await redis.send(dueCommand(id, generation), { kind: 'read', signal })) as readonly string[];

  /** Removes those of the members that are still due; one round trip. @throws {RangeError} a member is damaged. */
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

    /** Makes room before a call is refused because there is none: one batch. @returns how many records are gone. */
    async free(id: TenantId, generation: number, signal?: AbortSignal): Promise<number> {
      const members = await findDue(id, generation, signal);
      return members.length === 0 ? 0 : (await remove(id, generation, members, signal)).removed;
    },
  };
}
