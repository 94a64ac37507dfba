/** Starts the move of sessions to S3 at once: a request that finds it due does not leave it to the clock. */
import { createStartRun, type StartRunDeps } from './start-run.ts';

export interface RunNow {
  /** Starts the run that moves sessions to S3; at most once in 5 s, else nothing. As `start` of start-run.ts: it never throws. */
  spillSessions(): Promise<void>;
}

const MIN_INTERVAL_MS = 5_000;

export interface RunNowDeps extends Omit<StartRunDeps, 'name'> {
  /** By a clock that never goes back, ms. */
  readonly nowMs: () => number;
}

export function createRunNow({ nowMs, ...deps }: RunNowDeps): RunNow {
  const run = createStartRun({ ...deps, name: 'spill-sessions' });
  let lastMs = Number.NEGATIVE_INFINITY;

  return {
    async spillSessions() {
      if (!run.isPossible() || nowMs() - lastMs < MIN_INTERVAL_MS) return;
      lastMs = nowMs();
      await run.start();
    },
  };
}
