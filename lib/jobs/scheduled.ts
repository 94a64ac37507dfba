/** The door for schedules: bounded by the function's own timeout, logged. */
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { type App, getApp } from '../app.ts';
import { telemetry } from '../metrics/telemetry.ts';

/** What a run reports: counts, logged as they are. */
export type JobReport = Readonly<Record<string, number | boolean | string>>;

/** Time kept for ending in order before Lambda's own timeout. */
const MARGIN_MS = 1_000;

/**
 * The handler of one schedule.
 * @param run is told by `signal` when to stop; what is left is done by the next run.
 */
export function scheduled(name: string, run: (app: App, signal: AbortSignal) => Promise<JobReport>) {
  return middy<unknown, JobReport, Error, Context>().handler(async (_event, context) => {
    const app = await getApp();
    const timeLeftMs = Math.max(0, (context.getRemainingTimeInMillis?.() ?? 60_000) - MARGIN_MS);
    const report = await run(app, AbortSignal.timeout(timeLeftMs));
    telemetry.logger.info('Schedule done', { schedule: name, ...report });
    return report;
  });
}
