/**
 * Takes back what tenants do not use of the memory of hot sessions; and when there is none left for others, what some have above
 * their fair part of it.
 */
import type { SpilloverConfig } from '../../../config/config.ts';
import { BlobUnavailableError } from '../../../errors.ts';
import { fairLevel } from '../../../fair-level.ts';
import type { Telemetry } from '../../../metrics/telemetry.ts';
import type { SessionBudget } from '../budget/session-budget.ts';
import { chunkBytes, idleShareBytes, isTight } from '../budget/share-sizes.ts';
import type { Spiller } from '../spiller.ts';
import type { PassTenant, PassTenants } from './pass-tenants.ts';
import type { PassTime } from './pass-time.ts';

export interface LoweringReport {
  /** Shares. */
  lowered: number;
  /** Sessions moved to S3 for that. */
  spilled: number;
  storeFailed: boolean;
}

/** Of the memory: the pool keeps it for tenants that have little (grant-session-memory.lua). For all others it is empty then. */
const KEPT_FOR_SMALL = 1 / 20;
/** Shares lowered at once. */
const AT_ONCE = 8;
/** Where memory is short: a sixteenth of a share. */
const LITTLE = 16;
/** Of one tenant: a share that needs more is lowered by the next pass. */
const MAX_BATCHES = 50;

export type ShareLowering = ReturnType<typeof createShareLowering>;

export function createShareLowering(deps: {
  readonly config: Pick<SpilloverConfig, 'maxMemoryBytes' | 'thresholdRatio'>;
  readonly budget: Pick<SessionBudget, 'lower' | 'totalGranted'>;
  readonly spiller: Pick<Spiller, 'spillTo'>;
  readonly tenants: Pick<PassTenants, 'hotBytes'>;
  readonly telemetry: Pick<Telemetry, 'count' | 'logger'>;
}) {
  const { config, budget, spiller, tenants, telemetry } = deps;
  const chunk = () => chunkBytes(config.maxMemoryBytes);

  /** What is idle: nobody waits for it, so nothing is moved for it. */
  const lowerIdle = async (tenant: PassTenant, targetBytes: number, { signal }: PassTime): Promise<number> => {
    let known: number | null = tenant.hotBytes;
    const spillTo = async () => {
      const hotBytes = known ?? (await tenants.hotBytes(tenant.id, signal));
      known = null;
      return hotBytes;
    };
    return budget.lower(tenant.id, targetBytes, { spillTo, signal });
  };

  const lowerTo = (tenant: PassTenant, targetBytes: number, report: LoweringReport, { signal }: PassTime) => {
    const place = { id: tenant.id, generation: tenant.generation, signal };
    const spillTo = async (bytes: number) => {
      const hotBytes = await tenants.hotBytes(tenant.id, signal);
      if (hotBytes <= bytes || tenant.isDeleted) return hotBytes;
      const moved = await spiller.spillTo(place, bytes, { maxBatches: MAX_BATCHES });
      report.spilled += moved.spilled;
      tenant.hotBytes = moved.hotBytes ?? hotBytes;
      return tenant.hotBytes;
    };
    return budget.lower(tenant.id, targetBytes, { spillTo, signal });
  };

  const note = (tenant: PassTenant, freed: number, report: LoweringReport) => {
    if (freed === 0) return;
    tenant.grantedBytes -= freed;
    report.lowered++;
  };

  const lowerAllIdle = async (all: readonly PassTenant[], tight: boolean, report: LoweringReport, time: PassTime) => {
    const idle = all.filter((tenant) => isIdle(tenant, targetOf(tenant, tight), tight));
    for (let at = 0; at < idle.length && !time.isOver(); at += AT_ONCE) {
      await Promise.all(
        idle.slice(at, at + AT_ONCE).map(async (tenant) => {
          note(tenant, await lowerIdle(tenant, targetOf(tenant, tight), time), report);
        }),
      );
    }
  };

  /** A share that is a little large is left alone, while there is memory a larger one: to lower it is work, and to grow it again. */
  const isIdle = ({ hotBytes, grantedBytes }: PassTenant, targetBytes: number, tight: boolean): boolean => {
    const unused = grantedBytes - targetBytes;
    if (unused <= 0 || hotBytes > targetBytes) return false;
    return unused >= chunk() || targetBytes === 0 || (tight && unused * LITTLE > grantedBytes);
  };

  /** A tenant without hot sessions needs no share. */
  const targetOf = ({ hotBytes, settings }: PassTenant, tight: boolean): number =>
    hotBytes === 0
      ? 0
      : Math.min(idleShareBytes(hotBytes, { chunk: chunk(), tight }), settings.maxHotBytes ?? Number.POSITIVE_INFINITY);

  const lowerToFair = async (
    all: readonly PassTenant[],
    granted: number,
    report: LoweringReport,
    time: PassTime,
  ): Promise<void> => {
    const nothingLeft = config.maxMemoryBytes - granted < chunk();
    const grants = all.map(({ grantedBytes }) => grantedBytes);
    const level = fairLevel(grants, Math.floor(config.maxMemoryBytes * config.thresholdRatio));
    const overdrawn = granted > config.maxMemoryBytes;
    if (level === null || !(overdrawn || all.some((tenant) => isWaiting(tenant, level, nothingLeft)))) return;
    for (const tenant of all) {
      if (time.isOver() || report.storeFailed) return;
      if (tenant.grantedBytes <= level) continue;
      try {
        note(tenant, await lowerTo(tenant, level, report, time), report);
      } catch (error) {
        if (!(error instanceof BlobUnavailableError)) throw error;
        report.storeFailed = true;
        telemetry.count('riptide_session_spill_failed_total');
        telemetry.logger.error('Sessions cannot be moved to S3', { tenant_id: tenant.id, error });
      }
    }
  };

  /** Whether a tenant below the level had to move sessions; or is shut out, when there is nothing left even for the smallest. */
  const isWaiting = ({ hotBytes, grantedBytes, spilled }: PassTenant, level: number, nothingLeft: boolean): boolean =>
    grantedBytes < level && (spilled > 0 || (nothingLeft && hotBytes === 0 && grantedBytes === 0));

  /** Whether so many granted bytes leave nothing worth granting. */
  const isEmpty = (grantedBytes: number): boolean =>
    config.maxMemoryBytes * (1 - KEPT_FOR_SMALL) - grantedBytes < chunk();

  return {
    isEmpty,

    /**
     * Takes back what is idle, 3 round trips for each share; where memory is short all but a quarter. When the pool is empty and
     * somebody waits, or there is less memory than is granted, also shares above the fair level of the threshold's part of the memory: the rest is free for others then.
     * @param how.mayMove whether sessions may be moved to S3 for that.
     */
    async run(
      all: readonly PassTenant[],
      how: { readonly poolIsEmpty: boolean; readonly mayMove: boolean },
      time: PassTime,
    ): Promise<LoweringReport> {
      const report = { lowered: 0, spilled: 0, storeFailed: false };
      const granted = all.reduce((sum, { grantedBytes }) => sum + grantedBytes, 0);
      await lowerAllIdle(all, how.poolIsEmpty || isTight(granted, config.maxMemoryBytes), report, time);
      if (!how.poolIsEmpty || !how.mayMove) return report;
      const left = await budget.totalGranted(time.signal);
      if (isEmpty(left)) await lowerToFair(all, left, report, time);
      return report;
    },
  };
}
