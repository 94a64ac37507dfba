/** Removes what a tenant has in Redis. It is refused everywhere by then, so nothing is added meanwhile. */
import type { TenantId } from '../ids.ts';
import type { Keys } from '../keys.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { releaseShare } from '../sessions/spillover/release-share.ts';
import type { CheckedStore } from './receipt.ts';

/** Records removed by one command. */
const BATCH = 500;

export interface RedisDataDeps {
  readonly redis: RedisDriver;
  readonly keys: Keys;
}

/** Every record the indexes list, generation by generation, and the indexes themselves. Begun again, it goes on. */
export async function removeRecords(
  { redis, keys }: RedisDataDeps,
  id: TenantId,
  { generations, signal }: { readonly generations: number; readonly signal?: AbortSignal | undefined },
): Promise<CheckedStore> {
  let removed = 0;
  let left = 0;
  for (let generation = 1; generation <= generations; generation++) {
    const index = keys.index(id, generation);
    let after = '[k\0';
    for (;;) {
      const page = ['ZRANGE', index, after, '(k\x01', 'BYLEX', 'LIMIT', 0, BATCH] as const;
      const members = (await redis.send(page, { kind: 'read', signal })) as readonly string[];
      if (members.length === 0) break;
      const records = members.map((member) => keys.listedRecord(id, generation, member));
      removed += Number(await redis.send(['UNLINK', ...records], { kind: 'write', signal }));
      left += Number(await redis.send(['EXISTS', ...records], { kind: 'read', signal }));
      after = `(${members.at(-1)}`;
    }
    await redis.send(['UNLINK', index], { kind: 'write', signal });
  }
  return { store: 'redis', name: 'records', removed, left };
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
