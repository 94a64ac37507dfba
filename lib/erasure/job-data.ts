/** Removes a tenant's jobs: their parameters and cursors may hold its names. One that runs can save nothing any more. */
import type { TenantId } from '../ids.ts';
import { removeJob } from '../redis/bindings/job-scripts.ts';
import { runScript } from '../redis/script.ts';
import type { CheckedStore } from './receipt.ts';
import type { RedisDataDeps } from './redis-data.ts';

const PAGE = 100;

/** Each job the list names, then a look at the list again. Begun again, it goes on. */
export async function removeJobs(
  { redis, keys }: RedisDataDeps,
  id: TenantId,
  signal?: AbortSignal,
): Promise<CheckedStore> {
  // Its place in the list: redis/scripts/includes/job.lua.
  const prefix = `t\0${id}\0`;
  const lists = { due: keys.jobsDue(), index: keys.jobIndex(), ended: keys.jobsEnded() };
  let removed = 0;
  let after = `[${prefix}`;
  for (;;) {
    const page = ['ZRANGE', keys.jobIndex(), after, `(t\0${id}\x01`, 'BYLEX', 'LIMIT', 0, PAGE] as const;
    const members = (await redis.send(page, { kind: 'read', signal })) as readonly string[];
    for (const job of members.map((member) => member.slice(prefix.length))) {
      const call = { keys: { job: keys.job(job), ...lists }, args: { id: job }, kind: 'write', signal } as const;
      removed += Number(await runScript(redis, removeJob, call));
    }
    if (members.length < PAGE) break;
    after = `(${members.at(-1)}`;
  }
  const left = await redis.send(['ZLEXCOUNT', keys.jobIndex(), `[${prefix}`, `(t\0${id}\x01`], {
    kind: 'read',
    signal,
  });
  return { store: 'redis', name: 'jobs', removed, left: Number(left) };
}
