/** Moves the coldest sessions of all tenants to S3, round by round, until the policy has nothing more to choose. */
import type { SpilloverConfig } from '../../../config/config.ts';
import { AppError, BlobUnavailableError } from '../../../errors.ts';
import type { TenantId } from '../../../ids.ts';
import type { Telemetry } from '../../../metrics/telemetry.ts';
import type { Spiller } from '../spiller.ts';
import { type ColdPages, type ColdSource, coldSource } from './cold-pages.ts';
import type { PassTenant } from './pass-tenants.ts';
import type { PassTime } from './pass-time.ts';
import { chooseSpill, isShort, type SpillBatch, type SpillTenant } from './spill-policy.ts';

export interface Rounds {
  /** All tenants; their hot bytes are kept up to date. */
  readonly tenants: readonly PassTenant[];
  /** To which hot bytes of all are brought down. */
  readonly thresholdBytes: number;
  /** What each may keep then. */
  readonly fairBytes: number;
  /** What a tenant may keep in any case; null: nothing is said. */
  readonly ownBytes: (tenant: PassTenant) => number | null;
  /** Moves nothing, and only tells what would be moved. */
  readonly dry: boolean;
  readonly time: PassTime;
}

export interface RoundsReport {
  /** Sessions. */
  spilled: number;
  /** They were charged, bytes. */
  freedBytes: number;
  /** Sessions that were used or changed meanwhile, are being moved by somebody else, or have no room in S3. */
  passedOver: number;
  /** Tenants whose sessions could not be moved: the log says why. */
  failed: number;
  /** S3 did not answer: what was left is where it was. */
  storeFailed: boolean;
}

/** Batches of one round, and tenants whose batches are moved at once. */
const BATCHES = 20;
const AT_ONCE = 4;

export type SpillRounds = ReturnType<typeof createSpillRounds>;

export function createSpillRounds(deps: {
  readonly config: Pick<SpilloverConfig, 'batchSize'>;
  readonly pages: ColdPages;
  readonly spiller: Pick<Spiller, 'spill'>;
  readonly telemetry: Pick<Telemetry, 'count' | 'logger'>;
}) {
  const { config, pages, spiller, telemetry } = deps;

  const fail = ({ id }: PassTenant, report: RoundsReport, error?: Error) => {
    report.failed++;
    telemetry.count('riptide_session_spill_failed_total');
    telemetry.logger.error('Sessions cannot be moved to S3', {
      tenant_id: id,
      ...(error === undefined ? {} : { error }),
    });
  };

  /** The tenant's batches, one after the other. @returns whether the tenant has more to give. */
  const moveOf = async (tenant: PassTenant, batches: readonly SpillBatch[], report: RoundsReport, time: PassTime) => {
    const place = { id: tenant.id, generation: tenant.generation, signal: time.signal };
    try {
      for (const { sessions } of batches) {
        if (report.storeFailed || time.isOver()) return true;
        const moved = await spiller.spill(place, sessions);
        report.spilled += moved.spilled;
        report.freedBytes += moved.freedBytes;
        report.passedOver += moved.passedOver;
        tenant.hotBytes = moved.hotBytes ?? tenant.hotBytes;
        if (moved.storageFull) return false;
      }
      return true;
    } catch (error) {
      if (error instanceof BlobUnavailableError) report.storeFailed = true;
      else if (isOutage(error)) throw error;
      fail(tenant, report, error as Error);
      return false;
    }
  };

  /** One round. Takes what is tried from the sources, and those that have nothing to give any more. */
  const move = async (
    sources: Map<TenantId, ColdSource>,
    batches: readonly SpillBatch[],
    { report, time }: { readonly report: RoundsReport; readonly time: PassTime },
  ): Promise<void> => {
    const waiting = [...Map.groupBy(batches, ({ id }) => id)];
    const work = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [id, own] = next;
        const { tenant } = sources.get(id) as ColdSource;
        if (!(await moveOf(tenant, own, report, time))) sources.delete(id);
      }
    };
    const ended = await Promise.allSettled(
      Array.from({ length: AT_ONCE }, () =>
        work().catch((error: unknown) => {
          waiting.length = 0;
          throw error;
        }),
      ),
    );
    for (const end of ended) if (end.status === 'rejected') throw end.reason;
  };

  return {
    /**
     * Goes on until enough is moved, nothing more can be, time is over or S3 does not answer. One tenant's trouble does not hold
     * up the others. @throws as RedisDriver.send; some may have been moved.
     */
    async run({ tenants, dry, time, ...aim }: Rounds): Promise<RoundsReport> {
      const report: RoundsReport = { spilled: 0, freedBytes: 0, passedOver: 0, failed: 0, storeFailed: false };
      const sources = new Map(
        tenants.flatMap((tenant) =>
          tenant.isDeleted || tenant.hotBytes === 0 ? [] : [[tenant.id, coldSource(tenant)] as const],
        ),
      );
      while (!time.isOver() && !report.storeFailed) {
        const goal = {
          totalBytes: tenants.reduce((sum, { hotBytes }) => sum + hotBytes, 0),
          thresholdBytes: aim.thresholdBytes,
          batchSize: config.batchSize,
          maxSessions: config.batchSize * BATCHES,
        };
        const view = (source: ColdSource) => viewOf(source, aim);
        const all = [...sources.values()];
        const short = all.filter((source) => isShort(view(source), goal));
        for (const { tenant } of await pages.read(short, time.signal)) fail(tenant, report);
        const batches = chooseSpill(all.map(view), goal);
        if (batches.length === 0) break;
        for (const { id, sessions } of batches) take(sources.get(id) as ColdSource, sessions.length);
        if (dry) pretend(sources, batches, report);
        else await move(sources, batches, { report, time });
      }
      return report;
    },
  };
}

const viewOf = ({ tenant, coldest, more }: ColdSource, aim: Pick<Rounds, 'fairBytes' | 'ownBytes'>): SpillTenant => ({
  ...{ id: tenant.id, hotBytes: tenant.hotBytes, coldest, more },
  fairBytes: aim.fairBytes,
  ownBytes: aim.ownBytes(tenant),
});

function take(source: ColdSource, count: number): void {
  source.coldest = source.coldest.slice(count);
}

function pretend(sources: ReadonlyMap<TenantId, ColdSource>, batches: readonly SpillBatch[], report: RoundsReport) {
  for (const { id, sessions } of batches) {
    const { tenant } = sources.get(id) as ColdSource;
    const bytes = sessions.reduce((sum, session) => sum + session.bytes, 0);
    tenant.hotBytes -= bytes;
    report.spilled += sessions.length;
    report.freedBytes += bytes;
  }
}

/** Redis is not there: it is not about one tenant. */
const isOutage = (error: unknown): boolean =>
  error instanceof AppError && (error.status === 503 || error.status === 504);
