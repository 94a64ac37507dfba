/** Which tenants are to be erased now. */
import type { TenantId } from '../ids.ts';
import type { Keys } from '../keys.ts';
import type { RedisDriver } from '../redis/driver.ts';
import type { TenantResponse } from '../tenants/contract.ts';
import { unpackRecord } from '../tenants/record-format.ts';

const PAGE = 100;
/** What the list of tenants has for each deleted one: redis/scripts/includes/list-tenant.lua. */
const LISTED = 's\0deleted\0';

export interface DueErasure {
  readonly id: TenantId;
  /** Redis' time when it was found due, Unix ms. */
  readonly foundMs: number;
}

/** Deleted tenants whose time is over by Redis' clock, and those without a record: erased, but still listed. */
export async function* dueErasures(
  { redis, keys }: { readonly redis: RedisDriver; readonly keys: Keys },
  signal?: AbortSignal,
): AsyncGenerator<DueErasure> {
  const nowMs = await redisNow(redis, signal);
  let after = `[${LISTED}`;
  for (;;) {
    const page = ['ZRANGE', keys.tenantIndex(), after, `(${LISTED}\x7f`, 'BYLEX', 'LIMIT', 0, PAGE] as const;
    const members = (await redis.send(page, { kind: 'read', signal })) as readonly string[];
    const ids = members.map((member) => member.slice(LISTED.length) as TenantId);
    const records = await redis.sendAll(
      ids.map((id) => ['GET', keys.record(id)]),
      { kind: 'read', signal, name: 'read-tenants' },
    );
    for (const [i, id] of ids.entries()) if (isListedDue(records[i], nowMs)) yield { id, foundMs: nowMs };
    if (members.length < PAGE) return;
    after = `(${members.at(-1)}`;
  }
}

function isListedDue(record: unknown, nowMs: number): boolean {
  if (record === null) return true;
  return typeof record === 'string' && isDue(unpackRecord(record).tenant, nowMs);
}

/** Whether its undo window has ended. */
export const isDue = ({ status, erase_at }: Pick<TenantResponse, 'status' | 'erase_at'>, nowMs: number): boolean =>
  status === 'deleted' && erase_at !== undefined && Date.parse(erase_at) <= nowMs;

async function redisNow(redis: RedisDriver, signal?: AbortSignal): Promise<number> {
  const [seconds, micros] = (await redis.send(['TIME'], { kind: 'read', signal })) as readonly [string, string];
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
}
