/**
 * Sessions that got another user while their tenant was walked: they are listed under another name then, so the walk may have met them
 * twice, or not at all. The feed tells of both names.
 */
import type { Keys } from '../../keys.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import type { TenantPlace } from '../../tenants/tenant-place.ts';
import { type CheckpointLine, orderOf } from '../format/checkpoint-line.ts';
import { compareUtf8 } from '../format/utf8-order.ts';
import { removalLine } from './record-line.ts';
import type { RecordPages } from './record-pages.ts';

const PAGE = 1_000;
const ULID_CHARACTERS = 26;

export type MovedSessions = ReturnType<typeof createMovedSessions>;

export function createMovedSessions(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly pages: Pick<RecordPages, 'session'>;
}) {
  const { redis, keys, pages } = deps;

  /** Names of sessions that changed under an epoch, by their ULID. Grows with the sessions that changed during the walk. */
  const namesOf = async ({ id, generation, signal }: TenantPlace, epoch: number) => {
    const prefix = `w\0${String(epoch).padStart(14, '0')}\0`;
    const names = new Map<string, string[]>();
    let first = `[${prefix}s\0`;
    for (;;) {
      const members = (await redis.send(
        ['ZRANGE', keys.index(id, generation), first, `(${prefix}s\x01`, 'BYLEX', 'LIMIT', 0, PAGE],
        { kind: 'read', signal },
      )) as readonly string[];
      for (const member of members) {
        const order = member.slice(prefix.length);
        const ulid = order.slice(-ULID_CHARACTERS);
        names.set(ulid, [...(names.get(ulid) ?? []), order]);
      }
      if (members.length < PAGE) return names;
      first = `(${members.at(-1)}`;
    }
  };

  return {
    /** A line for each name of each, in their order: what it is now, or that it is gone from there. @param epoch that began with the walk. */
    async lines(place: TenantPlace, epoch: number, nowMs: number): Promise<readonly CheckpointLine[]> {
      const lines: CheckpointLine[] = [];
      for (const names of (await namesOf(place, epoch)).values()) {
        if (names.length < 2) continue;
        const now = await pages.session(place, names[0] as string, nowMs);
        const name = now === null ? null : orderOf(now);
        for (const other of names) if (other !== name) lines.push(removalLine(other));
        if (now !== null) lines.push(now);
      }
      return lines.toSorted((a, b) => compareUtf8(orderOf(a), orderOf(b)));
    },
  };
}
