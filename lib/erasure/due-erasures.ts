/** Which tenants are to be erased now. */
import type { TenantId } from '../ids.ts';
import type { Keys } from '../keys.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { unpackRecord } from '../tenants/record-format.ts';

const PAGE = 100;
/** What the list of tenants has for each deleted one: redis/scripts/includes/list-tenant.lua. */
const LISTED = 's\0deleted\0';

/** Deleted tenants whose time is over by Redis' clock, and those without a record: erased, but still listed. */
export async function* dueErasures(
  { redis, keys }: { readonly redis: RedisDriver; readonly keys: Keys },
  signal?: AbortSignal,
): AsyncGenerator<TenantId> {
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
    yield* ids.filter((_id, i) => isDue(records[i], nowMs));
    if (members.length < PAGE) return;
    after = `(${members.at(-1)}`;
  }
}

function isDue(record: unknown, nowMs: number): boolean {
  if (record === null) return true;
  if (typeof record !== 'string') return false;
  const { status, erase_at } = unpackRecord(record).tenant;
  return status === 'deleted' && erase_at !== undefined && Date.parse(erase_at) <= nowMs;
}

async function redisNow(redis: RedisDriver, signal?: AbortSignal): Promise<number> {
  const [seconds, micros] = (await redis.send(['TIME'], { kind: 'read', signal })) as readonly [string, string];
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
}
