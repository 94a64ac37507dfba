/** Starts the restore drill when it is due: once in each slot of its interval, however often it is asked. */
import type { StateConfig } from '../../config/config.ts';
import { slotUlid } from '../../ids.ts';
import type { Jobs } from '../../jobs/jobs.ts';
import { DRILL_JOB } from './drill-job.ts';

export type Drills = ReturnType<typeof createDrills>;

export function createDrills(deps: {
  readonly jobs: Pick<Jobs, 'start'>;
  readonly config: Pick<StateConfig, 'restoreDrillIntervalMs'>;
  /** Unix ms. */
  readonly now: () => number;
}) {
  const { jobs, config, now } = deps;
  return {
    async startDue(signal?: AbortSignal): Promise<{ readonly drills: number }> {
      const interval = config.restoreDrillIntervalMs;
      if (interval === 0) return { drills: 0 };
      // Of another slot than a checkpoint that begins at the same time: job ids are of their slots.
      const opId = slotUlid(Math.floor(now() / interval) * interval + 1);
      const job = await jobs.start({ kind: DRILL_JOB, tenantId: null, params: {}, unit: 'records', opId, signal });
      return { drills: job.endedAtMs === null && job.attempts === 0 ? 1 : 0 };
    },
  };
}
