/** Room for hot sessions: a larger share of the memory there is, or the tenant's own coldest sessions moved to S3. */
import type { MakeRoom } from '../../cache/memory/make-room.ts';
import type { Config } from '../../config/config.ts';
import { BlobUnavailableError } from '../../errors.ts';
import type { Caller } from '../../gate/caller.ts';
import type { TenantContext } from '../../gate/context-format.ts';
import { readShortage } from '../../gate/full.ts';
import type { TenantId } from '../../ids.ts';
import type { RunNow } from '../../jobs/run-now.ts';
import type { Telemetry } from '../../metrics/telemetry.ts';
import type { RedisReply } from '../../redis/driver.ts';
import type { TenantPlace } from '../../tenants/tenant-place.ts';
import { readNeed, type SessionNeed, SHARE_FULL } from '../session-outcomes.ts';
import { sessionSettings } from '../session-settings.ts';
import type { SessionBudget } from './budget/session-budget.ts';
import type { Spiller } from './spiller.ts';

/** Of one request: it would be answered too late. */
const MAX_BATCHES = 12;
/** Others move what this request would: it waits so long for them, ms. */
const OTHERS_MS = 25;
/** A pool that had nothing to give is not asked again for so long, ms. */
const ASK_AGAIN_MS = 1_000;
const MAX_REMEMBERED = 1_000;
/** How much more than what brings a tenant below its threshold it is given, while there is plenty. */
const AHEAD = 2;

/** Writes that come at once are given room together: each time that was not enough, for so many more. */
const MORE_EACH_ROUND = 8;

/** Unix ms. */
type Refusals = Map<TenantId, number>;

export type SessionRoom = ReturnType<typeof createSessionRoom>;

export function createSessionRoom(deps: {
  readonly config: Pick<Config, 'sessions' | 'spillover'>;
  readonly budget: Pick<SessionBudget, 'grow'>;
  readonly spiller: Pick<Spiller, 'spillTo'>;
  /** Of the tenant's cache. */
  readonly evict: MakeRoom;
  readonly runNow: RunNow;
  readonly telemetry: Pick<Telemetry, 'count' | 'logger'>;
  /** Unix ms of a clock that never goes back. */
  readonly nowMs: () => number;
}) {
  const { config, budget, spiller, evict, runNow, telemetry, nowMs } = deps;
  /** When the pool had nothing more for a tenant; and when not enough to have it below its threshold. */
  const refused: Refusals = new Map();
  const crowded: Refusals = new Map();

  /** @param fits whether that share will do. @param refusals where it is noted that it will not. */
  const grow = async (
    { id, signal }: TenantPlace,
    context: TenantContext,
    need: SessionNeed & { readonly aheadBytes?: number },
    [refusals, fits]: readonly [Refusals, (shareBytes: number) => boolean],
  ): Promise<{ readonly raised: boolean; readonly shareBytes: number }> => {
    const { maxHotBytes: maxBytes } = sessionSettings(context, config);
    const { shareBytes, pressed } = await budget.grow(id, { ...need, maxBytes }, signal);
    const raised = fits(shareBytes);
    if (pressed || !raised) await runNow.spillSessions();
    if (raised) refusals.delete(id);
    else {
      if (refusals.size >= MAX_REMEMBERED) refusals.clear();
      refusals.set(id, nowMs());
    }
    return { raised, shareBytes };
  };

  const wasRefused = (refusals: Refusals, id: TenantId): boolean =>
    nowMs() - (refusals.get(id) ?? Number.NEGATIVE_INFINITY) < ASK_AGAIN_MS;

  /** Whether some were moved, or are being moved by others. */
  const spillOwn = async (place: TenantPlace, toBytes: number): Promise<boolean> => {
    try {
      const { spilled, passedOver } = await spiller.spillTo(place, Math.max(0, toBytes), { maxBatches: MAX_BATCHES });
      if (spilled > 0) return true;
      if (passedOver > 0) await new Promise((resolve) => setTimeout(resolve, OTHERS_MS));
      return passedOver > 0;
    } catch (error) {
      if (!(error instanceof BlobUnavailableError)) throw error;
      telemetry.logger.error('Sessions cannot be moved to S3: it does not answer', { tenant_id: place.id, error });
      telemetry.count('riptide_session_spill_failed_total');
      return false;
    }
  };

  /** @returns whether there may be room now; asked again while there is not. */
  const makeFor = async (
    place: TenantPlace,
    context: TenantContext,
    need: SessionNeed,
    round = 0,
  ): Promise<boolean> => {
    const fits = (shareBytes: number) => need.hotBytes + need.neededBytes <= shareBytes;
    // Others who wrote at the same time have used up what was granted before: room for them, too.
    const asked = round === 0 ? need : { ...need, aheadBytes: need.neededBytes * MORE_EACH_ROUND ** round };
    const { raised, shareBytes } = wasRefused(refused, place.id)
      ? { raised: false, shareBytes: need.shareBytes }
      : await grow(place, context, asked, [refused, fits]);
    if (raised) return true;
    // Some beyond what is needed, so that not every write at the limit has to move others; none where all would not do.
    const toBytes = Math.min(shareBytes * FREE_TO, shareBytes - need.neededBytes);
    const made = toBytes >= 0 && (await spillOwn(place, toBytes));
    if (!made) telemetry.count('riptide_session_memory_full_total');
    return made;
  };

  /** Whether the share is now so large that what is hot, with what is needed, is below the threshold. */
  const growToFit = async (place: TenantPlace, context: TenantContext, need: SessionNeed): Promise<boolean> => {
    if (wasRefused(crowded, place.id)) return false;
    const { thresholdRatio } = sessionSettings(context, config);
    const bytes = need.hotBytes + need.neededBytes;
    const aheadBytes = Math.ceil((bytes / thresholdRatio - bytes) * AHEAD);
    const fits = (share: number) => bytes <= share * thresholdRatio;
    return (await grow(place, context, { ...need, aheadBytes }, [crowded, fits])).raised;
  };

  return {
    growToFit,
    makeFor,

    /** As `makeRoom` of a gated call that answers as session scripts do. */
    async make(caller: Caller, context: TenantContext, answer: readonly RedisReply[], round: number): Promise<boolean> {
      const place = { id: caller.tenantId, generation: context.generation, signal: caller.signal };
      if (answer[0] === SHARE_FULL) return makeFor(place, context, readNeed(answer), round);
      const shortage = { ...readShortage(answer), round };
      if (await evict(caller, context, shortage)) return true;
      return spillOwn(place, 0);
    },

    /** Once a write went well: above the threshold a larger share is asked for, or the moving of sessions begun. At most once a second. */
    async noteWrite(
      caller: Caller,
      context: TenantContext,
      { hotBytes, shareBytes }: { readonly hotBytes: number; readonly shareBytes: number },
    ): Promise<void> {
      const { thresholdRatio } = sessionSettings(context, config);
      if (shareBytes < 0 || hotBytes <= shareBytes * thresholdRatio || wasRefused(crowded, caller.tenantId)) return;
      const place = { id: caller.tenantId, generation: context.generation, signal: caller.signal };
      await growToFit(place, context, { hotBytes, shareBytes, epoch: 0, neededBytes: 0 }).catch((error: unknown) =>
        telemetry.logger.warn('The share of the session memory could not be raised', {
          tenant_id: caller.tenantId,
          error: error as Error,
        }),
      );
    },
  };
}

/** Share of a full share that is left hot. */
const FREE_TO = 0.95;
