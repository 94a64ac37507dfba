/** Removes what a tenant has in Redis. It is refused everywhere by then, so nothing is added meanwhile. */
import type { TenantId } from '../ids.ts';
import { KEPT_GENERATION, type Keys } from '../keys.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { releaseShare } from '../sessions/spillover/budget/release-share.ts';
import type { CheckedStore } from './receipt.ts';

/** Of a ULID. */
const ULID_CHARACTERS = 26;
/** Records removed by one command. */
const BATCH = 500;
/** Between two looks at what is still being moved, and how long at most: longer than a claim lasts, ms. */
const LOOK_AGAIN_MS = 200;
const MAX_WAIT_MS = 40_000;
/** Quarantined sessions of all tenants looked through at once. */
const QUARANTINE_PAGE = 1_000;

export interface RedisDataDeps {
  readonly redis: RedisDriver;
  readonly keys: Keys;
}

/**
 * Every record the indexes list, generation by generation, and the indexes themselves. Begun again, it goes on.
 * @param scope.current the tenant's generation: those before it, and those that are listed beside it, are looked at, too.
 */
export async function removeRecords(
  { redis, keys }: RedisDataDeps,
  id: TenantId,
  { current, signal }: { readonly current: number; readonly signal?: AbortSignal | undefined },
): Promise<CheckedStore> {
  let removed = 0;
  let left = 0;
  const beside = ['ZRANGE', keys.generations(id), 0, -1] as const;
  const listed = (await redis.send(beside, { kind: 'read', signal })) as readonly string[];
  const before = Array.from({ length: current }, (_, i) => i + 1);
  for (const generation of new Set([KEPT_GENERATION, ...before, ...listed.map(Number)])) {
    const index = keys.index(id, generation);
    let after = '[k\0';
    for (;;) {
      const page = ['ZRANGE', index, after, '(k\x01', 'BYLEX', 'LIMIT', 0, BATCH] as const;
      const members = (await redis.send(page, { kind: 'read', signal })) as readonly string[];
      if (members.length === 0) break;
      const records = members.map((member) => keys.listedRecord(id, generation, member));
      await untilUnmoved({ redis, keys }, { id, generation, members, signal });
      removed += Number(await redis.send(['UNLINK', ...records], { kind: 'write', signal }));
      left += Number(await redis.send(['EXISTS', ...records], { kind: 'read', signal }));
      after = `(${members.at(-1)}`;
    }
    await redis.send(['UNLINK', index, keys.sessionsLately(id, generation)], { kind: 'write', signal });
  }
  return { store: 'redis', name: 'records', removed, left };
}

/**
 * Waits while sessions among them are on their way to S3 or back: an object that is written later would outlast the erasure. A
 * deleted tenant's are not claimed anew. @throws {Error} it takes too long: to be run again.
 */
async function untilUnmoved(
  { redis, keys }: RedisDataDeps,
  { id, generation, members, signal }: Listed,
): Promise<void> {
  const claims = members.flatMap((member) =>
    member.startsWith('k\0s\0') ? [keys.sessionClaim(id, generation, member.slice(-ULID_CHARACTERS))] : [],
  );
  if (claims.length === 0) return;
  const until = performance.now() + MAX_WAIT_MS;
  while (Number(await redis.send(['EXISTS', ...claims], { kind: 'read', signal })) > 0) {
    if (performance.now() > until) throw new Error('Sessions of the tenant are still being moved');
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

interface Listed {
  readonly id: TenantId;
  readonly generation: number;
  /** Of the index. */
  readonly members: readonly string[];
  readonly signal: AbortSignal | undefined;
}

/** Its sessions in the list of those whose object is gone or damaged. */
export async function removeQuarantined(
  { redis, keys }: RedisDataDeps,
  id: TenantId,
  signal?: AbortSignal,
): Promise<CheckedStore> {
  const list = keys.sessionQuarantine();
  const own = async (): Promise<readonly string[]> => {
    const found: string[] = [];
    for (let at = 0; ; at += QUARANTINE_PAGE) {
      const command = ['ZRANGE', list, at, at + QUARANTINE_PAGE - 1] as const;
      const page = (await redis.send(command, { kind: 'read', signal })) as readonly string[];
      found.push(...page.filter((member) => member.startsWith(`${id},`)));
      if (page.length < QUARANTINE_PAGE) return found;
    }
  };
  const members = await own();
  if (members.length > 0) await redis.send(['ZREM', list, ...members], { kind: 'write', signal });
  const left = members.length === 0 ? 0 : (await own()).length;
  return { store: 'redis', name: 'session_quarantine', removed: members.length, left };
}

/** Its part of the memory of all tenants' sessions: free for others from here on. Only when its sessions are gone. */
export async function removeSessionShare(
  { redis, keys }: RedisDataDeps,
  id: TenantId,
  signal?: AbortSignal,
): Promise<CheckedStore> {
  const { wasIn } = await releaseShare({ redis, keys }, id, signal);
  const left = await redis.send(['HEXISTS', keys.sessionBudget(), id], { kind: 'read', signal });
  return { store: 'redis', name: 'session_memory', removed: Number(wasIn), left: Number(left) };
}
