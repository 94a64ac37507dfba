/** The hot sessions of a tenant that were not used for longest, by a range of its index. */
import type { Keys } from '../../keys.ts';
import type { RedisCommand, RedisDriver, RedisReply } from '../../redis/driver.ts';
import { asList, asText } from '../../redis/reply-shape.ts';
import type { TenantPlace } from '../../tenants/tenant-place.ts';

/** As the index has it: `r\0<access>\0<ULID>`. */
export interface FoundSession {
  readonly ulid: string;
  /** Unix ms, 11 hex digits: sorts by time. */
  readonly access: string;
}

const MEMBER = /^r\0([0-9a-f]{11})\0([0-9a-z]{26})$/;

export type ColdestSessions = ReturnType<typeof createColdestSessions>;

export function createColdestSessions({ redis, keys }: { readonly redis: RedisDriver; readonly keys: Keys }) {
  const command = (
    { id, generation }: Omit<TenantPlace, 'signal'>,
    count: number,
    after?: FoundSession,
  ): RedisCommand => {
    const from = after === undefined ? '[r\0' : `(r\0${after.access}\0${after.ulid}`;
    return ['ZRANGE', keys.index(id, generation), from, '(r\x01', 'BYLEX', 'LIMIT', 0, count];
  };
  return {
    command,
    parse: parseFound,
    /** One round trip; `count` at most, from behind `after` on. */
    find: async (place: TenantPlace, count: number, after?: FoundSession): Promise<readonly FoundSession[]> =>
      parseFound(await redis.send(command(place, count, after), { kind: 'read', signal: place.signal })),
  };
}

const parseFound = (reply: RedisReply): readonly FoundSession[] =>
  asList(reply).flatMap((member) => {
    const [, access, ulid] = MEMBER.exec(asText(member)) ?? [];
    return access === undefined || ulid === undefined ? [] : [{ access, ulid }];
  });
