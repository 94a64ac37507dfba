/** Checkpoints by the clock: one for each slot of `checkpoint_interval_seconds`. */
import { setTimeout as wait } from 'node:timers/promises';
import type { StateConfig } from '../config/config.ts';
import type { JobReport } from '../jobs/scheduled.ts';
import type { Telemetry } from '../metrics/telemetry.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import type { Checkpoints } from './checkpoints.ts';
import { newestWhole } from './newest-whole.ts';

/** The clock starts a run no more often. */
const CLOCK_MS = 60_000;

export type CheckpointSchedule = ReturnType<typeof createCheckpointSchedule>;

export function createCheckpointSchedule(deps: {
  readonly checkpoints: Pick<Checkpoints, 'startDue'>;
  readonly store: Pick<CheckpointStore, 'ids' | 'headers'>;
  readonly config: Pick<StateConfig, 'checkpointIntervalMs'>;
  readonly telemetry: Pick<Telemetry, 'count'>;
  /** Unix ms. */
  readonly now: () => number;
}) {
  const { checkpoints, store, config, telemetry, now } = deps;

  /** An alarm watches it: whatever keeps checkpoints from being made, their age tells. */
  const tellAge = async (signal: AbortSignal): Promise<number> => {
    const newest = await newestWhole(store, signal);
    if (newest === null) return -1;
    const ageMs = Math.max(0, now() - Date.parse(newest.started_at));
    telemetry.count('riptide_checkpoint_age_seconds', Math.round(ageMs / 1000));
    // A checkpoint a minute is what the clock can do; what is asked for more often comes with a run.
    telemetry.count('riptide_checkpoint_age_intervals', ageMs / Math.max(config.checkpointIntervalMs, CLOCK_MS));
    return Math.round(ageMs / 1000);
  };

  return {
    /**
     * Starts the one that is due, and those that become due within the minute where the interval is shorter than that. Twice, late
     * or beside itself: each slot has one.
     * @param byClock false: somebody else has called, and only what is due now is started.
     */
    async run(byClock: boolean, signal: AbortSignal): Promise<JobReport> {
      const until = performance.now() + (byClock ? CLOCK_MS : 0);
      let started = 0;
      for (;;) {
        started += (await checkpoints.startDue(signal)).started;
        const { checkpointIntervalMs: intervalMs } = config;
        const nextMs = intervalMs - (now() % intervalMs);
        // A slot that begins within a minute is the next run's, unless there are several to a minute: waiting costs as work does.
        if (intervalMs >= CLOCK_MS || performance.now() + nextMs >= until || signal.aborted) break;
        await wait(nextMs, undefined, { signal }).catch(() => {});
        if (signal.aborted) break;
      }
      return { started, newestAgeSeconds: signal.aborted ? -1 : await tellAge(signal) };
    },
  };
}
