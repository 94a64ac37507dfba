/** What is left behind when checkpoints are not made any more, or were not made to the end: once an hour, by the cleaning. */
import { unpackLimits } from '../gate/gate-fields.ts';
import { type TenantId, ulidTimeMs } from '../ids.ts';
import type { Keys } from '../keys.ts';
import { trimFeed } from '../redis/bindings/checkpoint-scripts.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { runScript } from '../redis/script.ts';
import { tenantPages } from '../tenants/tenant-pages.ts';
import type { Tenants } from '../tenants/tenants.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import type { Retirement } from './retirement.ts';

const LOOKED_FOR_MS = 3_600_000;
/** A feed that no checkpoint has asked for so long ends: else it would grow as long as nobody takes one. */
const FEED_KEPT_MS = 86_400_000;
const TRIM_BATCH = 500;

export interface UpkeepReport {
  readonly checkpointOrphans: number;
  readonly feedsEnded: number;
}

export type CheckpointUpkeep = ReturnType<typeof createCheckpointUpkeep>;

export function createCheckpointUpkeep(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly tenants: Pick<Tenants, 'listIds'>;
  readonly store: Pick<CheckpointStore, 'ids'>;
  readonly retirement: Pick<Retirement, 'sweep'>;
  /** Unix ms. */
  readonly now: () => number;
}) {
  const { redis, keys, tenants, store, retirement, now } = deps;

  /** All of it, then its members, by pages: the next checkpoint reads the tenant whole. */
  const endFeed = async (id: TenantId, generation: number, signal?: AbortSignal): Promise<void> => {
    const call = { keys: { gate: keys.gate(id), index: keys.index(id, generation) } };
    for (let removed = TRIM_BATCH; removed === TRIM_BATCH && !signal?.aborted; )
      removed = await runScript(redis, trimFeed, {
        ...call,
        args: { epoch: 0, limit: TRIM_BATCH },
        kind: 'write',
        signal,
      });
  };

  /** Those whose feed reaches back further than it is kept. */
  const oldFeeds = async (page: readonly TenantId[], signal?: AbortSignal) => {
    const gates = await redis.sendAll(
      page.map((id) => ['HMGET', keys.gate(id), 'h', 'f']),
      { kind: 'read', signal },
    );
    return page.flatMap((id, i) => {
      const [limits, feed] = Array.isArray(gates[i]) ? (gates[i] as readonly (string | null)[]) : [];
      const first = Number(/^f1,(\d+)$/.exec(feed ?? '')?.[1] ?? 0);
      const isOld = typeof limits === 'string' && first > 0 && first < now() - FEED_KEPT_MS;
      return isOld ? [{ id, generation: unpackLimits(limits).generation }] : [];
    });
  };

  /**
   * A tenant that does nothing keeps an old feed, which costs nothing and saves the next checkpoint from reading it: so feeds end
   * only where no checkpoint was made for a day.
   */
  const endFeeds = async (signal?: AbortSignal): Promise<number> => {
    const [newest] = await store.ids(signal);
    if (newest !== undefined && ulidTimeMs(newest.slice('ckpt-'.length)) > now() - FEED_KEPT_MS) return 0;
    let ended = 0;
    for await (const page of tenantPages(tenants, signal)) {
      for (const { id, generation } of await oldFeeds(page, signal)) {
        if (signal?.aborted) return ended;
        await endFeed(id, generation, signal);
        ended++;
      }
    }
    return ended;
  };

  return {
    /** @throws {BlobUnavailableError} what was found before is gone; the next run goes on. */
    async run(signal?: AbortSignal): Promise<UpkeepReport> {
      const looked = ['SET', keys.checkpointsLooked(), 1, 'NX', 'PX', LOOKED_FOR_MS] as const;
      if ((await redis.send(looked, { kind: 'write', signal })) === null)
        return { checkpointOrphans: 0, feedsEnded: 0 };
      try {
        return { feedsEnded: await endFeeds(signal), checkpointOrphans: await retirement.sweep(signal) };
      } catch (error) {
        await redis.send(['DEL', keys.checkpointsLooked()], { kind: 'write' });
        throw error;
      }
    },
  };
}
