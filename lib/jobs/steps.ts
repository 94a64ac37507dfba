/** A schedule of several steps that have nothing to do with each other: one that fails holds up no other. */
import type { Telemetry } from '../metrics/telemetry.ts';
import type { JobReport } from './scheduled.ts';

/** By the name it has in the report. */
export type Steps = Readonly<Record<string, (signal: AbortSignal) => Promise<object>>>;

/**
 * Runs the steps one after the other, each whether or not the one before went well.
 * @returns every step's counts, as `<step>_<count>`.
 * @throws {AggregateError} after all of them, when some failed, so that the platform counts the run as failed.
 */
export async function runSteps(
  steps: Steps,
  signal: AbortSignal,
  { logger }: Pick<Telemetry, 'logger'>,
): Promise<JobReport> {
  const report: Record<string, number | boolean | string> = {};
  const failures: unknown[] = [];
  for (const [name, run] of Object.entries(steps)) {
    try {
      for (const [count, value] of Object.entries(await run(signal))) report[`${name}_${count}`] = value;
    } catch (error) {
      const reason = error instanceof Error ? error.name : 'unknown';
      logger.error('A step of a schedule failed', { step: name, reason });
      failures.push(error);
      report[`${name}_failed`] = true;
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} steps of the schedule failed`);
  return report;
}
