/** What a stop has come to. */
import type { StepReport } from './stop-steps.ts';

/** As the log line has it. */
export interface ShutdownReport {
  readonly took_ms: number;
  /** Requests that were under way, and were answered. */
  readonly requests_finished: number;
  /** Requests that took too long; nobody was told what became of them. */
  readonly requests_cut: number;
  /** Jobs that were put off: others go on with them at once. */
  readonly jobs_handed_over: number;
  readonly steps: readonly StepReport[];
}

/** Whether all that was begun was ended: else the process says so by its exit code. */
export const isClean = ({ requests_cut, steps }: ShutdownReport): boolean =>
  requests_cut === 0 && steps.every(({ outcome }) => outcome === 'done');

/** One line for who stopped it: how it went, and what was left. */
export function describeShutdown(report: ShutdownReport): string {
  const { took_ms, requests_finished, requests_cut, jobs_handed_over, steps } = report;
  const left = steps.filter(({ outcome }) => outcome !== 'done').map(({ name, outcome }) => `${name} ${outcome}`);
  const counts = `${requests_finished} requests finished, ${requests_cut} cut, ${jobs_handed_over} jobs handed over`;
  return `${counts} in ${took_ms} ms${left.length === 0 ? '' : `; left: ${left.join(', ')}`}`;
}
