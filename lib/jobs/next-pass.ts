/** Goes on at once where a pass over the jobs had to end by its time: the clock comes a while later. */
import type { JobsReport } from './job-pass.ts';
import type { JobStore } from './job-store.ts';
import type { StartRun } from './start-run.ts';

/** What starts the passes, on Lambda or in a host. */
export type JobRuns = Pick<StartRun, 'isPossible' | 'start'>;

/** Passes that start each other, at most; then the clock begins anew. Lambda ends such a chain at 16. */
const MAX_LINKS = 10;
/** In so long one pass starts another, however many end: of those that run four minutes, there are two at most. */
const TURN_MS = 120_000;

/** How far along its chain a pass is: 0 by the clock, and when a request has started it. */
export function linkOf(event: unknown): number {
  if (typeof event !== 'object' || event === null || !('link' in event)) return 0;
  return Number.isSafeInteger(event.link) ? Number(event.link) : 0;
}

export function createNextPass({
  store,
  runs,
}: {
  readonly store: Pick<JobStore, 'takeTurn'>;
  readonly runs: JobRuns;
}) {
  /** @param link of the pass that has ended. @throws as Redis does; no pass is lost with it, for the clock comes. */
  return async ({ finished }: Pick<JobsReport, 'finished'>, link: number): Promise<void> => {
    if (finished || link >= MAX_LINKS || !runs.isPossible()) return;
    if (await store.takeTurn(TURN_MS)) await runs.start({ link: link + 1 });
  };
}
