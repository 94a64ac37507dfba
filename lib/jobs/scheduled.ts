/** The door for schedules: bounded by the function's own timeout, logged. */
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { type App, getApp } from '../app.ts';
import { telemetry } from '../metrics/telemetry.ts';
import { hostStop } from '../shutdown/host-stop.ts';

/** What a run reports: counts, logged as they are. */
export type JobReport = Readonly<Record<string, number | boolean | string>>;

/** Time kept for ending in order before Lambda's own timeout. */
const MARGIN_MS = 1_000;

export type ScheduledRun = (app: App, signal: AbortSignal, event: unknown) => Promise<JobReport>;

/**
 * The handler of one schedule.
 * @param run is told by `signal` when to stop, by its time or because the host stops; what is left is done by the next run.
 * @param marginMs for what it does after that.
 */
export function scheduled(name: string, run: ScheduledRun, marginMs = MARGIN_MS) {
  return middy<unknown, JobReport, Error, Context>().handler(async (event, context) => {
    const app = await getApp();
    await app.configLook.refresh();
    const timeLeftMs = Math.max(0, (context.getRemainingTimeInMillis?.() ?? 60_000) - marginMs);
    try {
      const report = await run(app, hostStop.with(AbortSignal.timeout(timeLeftMs)), event);
      telemetry.logger.info('Schedule done', { schedule: name, ...report });
      return report;
    } finally {
      // Nothing of them outlives the run.
      if (telemetry.metrics.hasStoredMetrics()) telemetry.metrics.publishStoredMetrics();
    }
  });
}
