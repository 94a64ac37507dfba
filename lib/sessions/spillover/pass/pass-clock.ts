/** When passes come within one run of the schedule, which the clock starts once a minute at most. */
import type { JobReport } from '../../../jobs/scheduled.ts';
import type { SpillReport } from './spill-pass.ts';

export interface Passes {
  readonly run: () => Promise<SpillReport>;
  /** From the beginning of one to the beginning of the next. */
  readonly intervalMs: number;
  /** Until then passes begin; 0: one, and others as long as they are needed. */
  readonly forMs: number;
  readonly signal: AbortSignal;
}

/** In a row without a pause: what does not become less by then is looked at again after one. */
const MAX_IN_A_ROW = 5;

/** Whether EventBridge has sent it: who calls otherwise wants a pass now. */
export const isByClock = (event: unknown): boolean =>
  typeof event === 'object' && event !== null && 'source' in event && event.source === 'aws.events';

/** Whether the next comes at once: it was above the threshold to the end, and this one has done something about it. */
const isNeeded = ({ hotBytes, thresholdBytes, spilled, storeFailed }: SpillReport): boolean =>
  hotBytes > thresholdBytes && spilled > 0 && !storeFailed;

/**
 * Runs passes by the beat of `intervalMs`, the first now; and as many more at once as it takes to be below the threshold. Ends
 * when `signal` aborts. @returns their counts together, and how the last one ended. @throws what a pass throws.
 */
export async function runPasses({ run, intervalMs, forMs, signal }: Passes): Promise<JobReport> {
  const startedAt = performance.now();
  const reports: SpillReport[] = [];
  for (let dueMs = 0; dueMs === 0 || dueMs < forMs; dueMs += intervalMs) {
    if (!(await pause(startedAt + dueMs - performance.now(), signal))) break;
    for (let inARow = 0; inARow < MAX_IN_A_ROW && !signal.aborted; inARow++) {
      const report = await run();
      reports.push(report);
      if (!isNeeded(report)) break;
    }
  }
  return sumOf(reports);
}

/** @returns false: it was aborted. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  if (ms <= 0 || signal.aborted) return !signal.aborted;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const stop = () => resolve();
  signal.addEventListener('abort', stop, { once: true });
  await promise;
  clearTimeout(timer);
  signal.removeEventListener('abort', stop);
  return !signal.aborted;
}

function sumOf(reports: readonly SpillReport[]): JobReport {
  const sum = (amount: (report: SpillReport) => number) => reports.reduce((total, one) => total + amount(one), 0);
  const last = reports.at(-1);
  return {
    passes: reports.length,
    busy: sum(({ busy }) => Number(busy)),
    tenants: last?.tenants ?? 0,
    unreadable: last?.unreadable ?? 0,
    hotBytes: last?.hotBytes ?? 0,
    budgetBytes: last?.budgetBytes ?? 0,
    peakRatio: Math.max(0, ...reports.map(({ hotBytesBefore, budgetBytes }) => hotBytesBefore / budgetBytes)),
    spilled: sum(({ spilled }) => spilled),
    freedBytes: sum(({ freedBytes }) => freedBytes),
    passedOver: sum(({ passedOver }) => passedOver),
    failed: sum(({ failed }) => failed),
    lowered: sum(({ lowered }) => lowered),
    restored: sum(({ restored }) => restored),
    storeFailed: reports.some(({ storeFailed }) => storeFailed),
    finished: last?.finished ?? false,
  };
}
