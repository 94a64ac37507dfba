/** Which tenants of a page have something to be cleaned: two round trips for all of them. */
import type { ExpiredRecords } from '../gate/expired-records.ts';
import { unpackLimits } from '../gate/gate-fields.ts';
import type { TenantId } from '../ids.ts';
import { KEPT_GENERATION, type Keys } from '../keys.ts';
import type { RedisDriver, RedisReply } from '../redis/driver.ts';
import type { DoomedObjects } from './doomed-objects.ts';
import type { OldGenerations } from './old-generations.ts';
import type { Tombstones } from './tombstones.ts';

export interface DueTenant {
  readonly id: TenantId;
  readonly generation: number;
  /** Of each index that has some. */
  readonly expiries: readonly DueExpiries[];
  /** Something is invalidated and not settled. */
  readonly invalidated: boolean;
  /** Tombstones may be due. */
  readonly dead: boolean;
  /** Objects of it in S3 may be due. */
  readonly doomed: boolean;
  /** Generations of its data that may be reclaimed, the oldest first. */
  readonly retired: readonly number[];
}

/** Expiry members that are due, of the index of one generation; as many as one call removes at most. */
export interface DueExpiries {
  readonly generation: number;
  readonly members: readonly string[];
}

export type DueTenants = ReturnType<typeof createDueTenants>;

export function createDueTenants(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly expired: Pick<ExpiredRecords, 'dueCommand'>;
  readonly tombstones: Pick<Tombstones, 'dueCommand'>;
  readonly doomed: Pick<DoomedObjects, 'dueCommand'>;
  readonly oldGenerations: Pick<OldGenerations, 'dueCommand'>;
  /** Unix ms: only chooses candidates; Redis' own time decides. */
  readonly now: () => number;
}) {
  const { redis, keys, expired, tombstones, doomed, oldGenerations, now } = deps;

  /** What is asked about one tenant; {@link readDue} reads the replies in this order. */
  const commands = (id: TenantId, generation: number) => [
    expired.dueCommand(id, generation),
    expired.dueCommand(id, KEPT_GENERATION),
    tombstones.dueCommand(id, now()),
    doomed.dueCommand(id, generation, now()),
    oldGenerations.dueCommand(id, now()),
  ];

  /** @param unreadable is told of each tenant whose gate is damaged, and why. */
  return async (
    page: readonly TenantId[],
    unreadable: (id: TenantId, error: RangeError) => void,
    signal?: AbortSignal,
  ): Promise<readonly DueTenant[]> => {
    const options = { kind: 'read', signal } as const;
    const gates = await redis.sendAll(
      page.map((id) => ['HMGET', keys.gate(id), 'h', 'v']),
      options,
    );
    const known = page.flatMap((id, i) => readGate(gates[i] ?? null, id, unreadable));
    const asked = known.map(({ id, generation }) => commands(id, generation));
    const replies = await redis.sendAll(asked.flat(), options);
    let at = 0;
    return known.flatMap((tenant, i) => {
      const own = replies.slice(at, at + (asked[i]?.length ?? 0));
      at += own.length;
      return readDue(tenant, own) ?? [];
    });
  };
}

type KnownTenant = Pick<DueTenant, 'id' | 'generation' | 'invalidated'>;

/** None: there is no such tenant any more, or its gate is damaged. */
function readGate(
  reply: RedisReply | Error,
  id: TenantId,
  unreadable: (id: TenantId, error: RangeError) => void,
): KnownTenant[] {
  try {
    if (!Array.isArray(reply)) throw new RangeError('Not a gate');
    const [limits, pending] = reply as readonly (string | null)[];
    if (typeof limits !== 'string') return [];
    return [{ id, generation: unpackLimits(limits).generation, invalidated: isPending(pending ?? '') }];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    unreadable(id, error);
    return [];
  }
}

/** Null: nothing is due. What Redis could not answer is as if there was none: the next pass asks again. */
function readDue(tenant: KnownTenant, replies: readonly (RedisReply | Error)[]): DueTenant | null {
  const [own = [], kept = [], dead = [], doomed = [], retired = []] = replies.map((reply) =>
    Array.isArray(reply) ? (reply as readonly string[]) : [],
  );
  const expiries = [
    { generation: tenant.generation, members: own },
    { generation: KEPT_GENERATION, members: kept },
  ].filter(({ members }) => members.length > 0);
  const some = expiries.length + dead.length + doomed.length + retired.length > 0 || tenant.invalidated;
  if (!some) return null;
  return { ...tenant, expiries, dead: dead.length > 0, doomed: doomed.length > 0, retired: retired.map(Number) };
}

/** Whether a tenant's field `v` names an epoch: it may hold its share of the memory only (includes/epochs.lua). */
const isPending = (v: string): boolean => v !== '' && !v.startsWith('v1,0,0,0,');
