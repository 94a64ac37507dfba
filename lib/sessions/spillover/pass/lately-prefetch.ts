/** Brings back what was moved to S3 last, once there is plenty of memory again: most likely it is read next. */
import type { SpilloverConfig } from '../../../config/config.ts';
import { SessionCorruptError } from '../../../errors.ts';
import type { Keys } from '../../../keys.ts';
import { peekSessions } from '../../../redis/bindings/session-read-scripts.ts';
import type { RedisDriver } from '../../../redis/driver.ts';
import { asList, asText } from '../../../redis/reply-shape.ts';
import { runScript } from '../../../redis/script.ts';
import { parseSessionStub } from '../../session-format.ts';
import type { SessionNeed } from '../../session-outcomes.ts';
import type { SessionBudget } from '../budget/session-budget.ts';
import type { ColdFound, Prefetcher } from '../prefetcher.ts';
import type { PassTenant } from './pass-tenants.ts';
import type { PassTime } from './pass-time.ts';

/** Of the threshold, of all tenants' memory and of each one's own: far from where sessions are moved again. */
export const PREFETCH_TO = 0.6;
/** Of one tenant, in one pass. */
const MAX_SESSIONS = 50;

export type LatelyPrefetch = ReturnType<typeof createLatelyPrefetch>;

export function createLatelyPrefetch(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly config: Pick<SpilloverConfig, 'maxMemoryBytes' | 'thresholdRatio'>;
  readonly budget: Pick<SessionBudget, 'grow'>;
  readonly prefetcher: Prefetcher;
  /** Unix ms: what has expired by it is not brought back. */
  readonly now: () => number;
}) {
  const { redis, keys, config, budget, prefetcher, now } = deps;

  /** Those used last, newest first, as far as they fit; what is not in S3 any more is forgotten. Two or three round trips. */
  const findLately = async ({ id, generation }: PassTenant, roomBytes: number, signal?: AbortSignal) => {
    const lately = keys.sessionsLately(id, generation);
    const command = ['ZRANGE', lately, 0, MAX_SESSIONS - 1, 'REV'] as const;
    const ulids = asList(await redis.send(command, { kind: 'read', signal })).map(asText);
    if (ulids.length === 0) return [];
    const stored = await runScript(redis, peekSessions, {
      keys: { sessions: ulids.map((ulid) => keys.session(id, generation, ulid)) },
      args: { what: 'heads' },
      kind: 'read',
      signal,
    });
    const stale: string[] = [];
    const found: (ColdFound & { readonly bytes: number })[] = [];
    let left = roomBytes;
    for (const [i, ulid] of ulids.entries()) {
      const stub = stored[i];
      const bytes = typeof stub === 'string' ? hotBytesOf(stub, now()) : null;
      if (typeof stub !== 'string' || bytes === null) stale.push(ulid);
      else if (bytes > left) break;
      else {
        left -= bytes;
        found.push({ ulid, stub, bytes });
      }
    }
    if (stale.length > 0) await redis.send(['ZREM', lately, ...stale], { kind: 'write', signal });
    return found;
  };

  const bringBack = async (tenant: PassTenant, roomBytes: number, time: PassTime): Promise<number> => {
    const { id, generation, settings } = tenant;
    const found = await findLately(tenant, roomBytes, time.signal);
    const grow = async (need: SessionNeed) => {
      const neededBytes = Math.ceil((need.hotBytes + need.neededBytes) / settings.thresholdRatio) - need.hotBytes;
      const asked = { ...need, neededBytes, aheadBytes: 0, maxBytes: settings.maxHotBytes };
      return (await budget.grow(id, asked, time.signal)).raised;
    };
    const place = { id, generation, signal: time.signal };
    const context = { sessions: { spill_threshold_ratio: settings.thresholdRatio } };
    const outcomes = await prefetcher.offerAll(place, found, { context, grow, isOver: time.isOver });
    let restored = 0;
    for (const [i, { bytes }] of found.entries()) {
      if (outcomes[i] !== 'restored') continue;
      tenant.hotBytes += bytes;
      restored++;
    }
    return restored;
  };

  return {
    /**
     * Of each tenant that has some in S3, as much as leaves it, and all together, below 60 % of the threshold; what there is to
     * fill is divided evenly. @returns sessions that are back.
     */
    async run(tenants: readonly PassTenant[], time: PassTime): Promise<number> {
      const { maxMemoryBytes, thresholdRatio } = config;
      const hotBytes = tenants.reduce((sum, tenant) => sum + tenant.hotBytes, 0);
      const roomBytes = maxMemoryBytes * thresholdRatio * PREFETCH_TO - hotBytes;
      const waiting = tenants.filter(({ spilled, isDeleted }) => spilled > 0 && !isDeleted);
      let restored = 0;
      for (const tenant of waiting) {
        if (time.isOver() || roomBytes <= 0) break;
        const { thresholdRatio: ratio, maxHotBytes } = tenant.settings;
        const ownRoom = (maxHotBytes ?? maxMemoryBytes) * ratio * PREFETCH_TO - tenant.hotBytes;
        const room = Math.min(ownRoom, roomBytes / waiting.length);
        if (room > 0) restored += await bringBack(tenant, room, time);
      }
      return restored;
    },
  };
}

/** What it takes when it is back; null: it is not to come back. */
function hotBytesOf(stub: string, nowMs: number): number | null {
  try {
    const { head, place } = parseSessionStub(stub);
    return place.quarantined || head.expiresAtMs <= nowMs ? null : place.hotBytes;
  } catch (error) {
    if (!(error instanceof SessionCorruptError)) throw error;
    return null;
  }
}
