/**
 * Every minute: moves sessions to S3 while there are more than Redis is to hold, in passes `spillover.interval_seconds` apart.
 * Called at once by requests that fill that memory: one pass then.
 */
import { scheduled } from '../../lib/jobs/scheduled.ts';
import { isByClock, runPasses } from '../../lib/sessions/spillover/pass/pass-clock.ts';

export const handler = scheduled('spill-sessions', ({ spillPass, config }, signal, event) =>
  runPasses({
    run: () => spillPass.run({ signal }),
    intervalMs: config.spillover.intervalMs,
    forMs: isByClock(event) ? 60_000 : 0,
    signal,
  }),
);
