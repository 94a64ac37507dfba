/** A tenant's cache entries in the order of their last access: by ranges of its index. */
import type { TenantId } from '../../ids.ts';
import { type Keys, parseListing } from '../../keys.ts';
import type { RedisDriver, RedisReply } from '../../redis/driver.ts';

export interface FoundEntry {
  /** Its Redis key. */
  readonly record: string;
  /** The Redis key of its lease. */
  readonly lease: string;
  /** Minute of its last access, 8 digits; empty: of format c1, which kept none. */
  readonly access: string;
  /** Of the index: where a page after it begins. */
  readonly member: string;
}

/** Which entries: values in Redis, or in S3. */
export type Tier = 'a' | 's';

export interface Page {
  readonly count: number;
  /** Those behind this member, in the order asked for. */
  readonly after?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type ColdestEntries = ReturnType<typeof createColdestEntries>;

export function createColdestEntries({ redis, keys }: { readonly redis: RedisDriver; readonly keys: Keys }) {
  const range = async (id: TenantId, generation: number, bounds: readonly (string | number)[], signal?: AbortSignal) =>
    members(await redis.send(['ZRANGE', keys.index(id, generation), ...bounds], { kind: 'read', signal }));

  const keysOf = (id: TenantId, generation: number, listing: string) => ({
    record: keys.listedRecord(id, generation, listing),
    lease: keys.lease(id, generation, parseListing(listing)),
  });

  const read = (id: TenantId, generation: number, member: string): FoundEntry => {
    const [, access = '', ...listed] = member.split('\0');
    return { ...keysOf(id, generation, ['k', ...listed].join('\0')), access, member };
  };

  return {
    /** Those of a tier that nobody asked for the longest time, the coldest first. One round trip. */
    async coldest(
      id: TenantId,
      generation: number,
      tier: Tier,
      { count, after, signal }: Page,
    ): Promise<readonly FoundEntry[]> {
      const first = after === undefined ? `[${tier}\0` : `(${after}`;
      const found = await range(id, generation, [first, `(${tier}\x01`, 'BYLEX', 'LIMIT', 0, count], signal);
      return found.map((member) => read(id, generation, member));
    },

    /** Those of a tier that were asked for last, the latest first. One round trip. */
    async latest(
      id: TenantId,
      generation: number,
      tier: Tier,
      { count, after, signal }: Page,
    ): Promise<readonly FoundEntry[]> {
      const bounds = [`(${after ?? `${tier}\x01`}`, `[${tier}\0`, 'BYLEX', 'REV', 'LIMIT', 0, count];
      return (await range(id, generation, bounds, signal)).map((member) => read(id, generation, member));
    },

    /**
     * Those to remove first: the coldest whose values are in Redis; where there are none, what is left of values in S3; then
     * entries of format c1. Three round trips at most.
     */
    async toEvict(id: TenantId, generation: number, page: Page): Promise<readonly FoundEntry[]> {
      for (const tier of ['a', 's'] as const) {
        const found = await this.coldest(id, generation, tier, page);
        if (found.length > 0) return found;
      }
      const bounds = ['[k\0c\0', '(k\0c\x01', 'BYLEX', 'LIMIT', 0, page.count];
      const listed = await range(id, generation, bounds, page.signal);
      return listed.map((member) => ({ ...keysOf(id, generation, member), access: '', member }));
    },
  };
}

const members = (reply: RedisReply) => reply as readonly string[];
