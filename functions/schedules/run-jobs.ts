/** Every minute, and at once when a job is started: runs long work that is due, in slices, and forgets what ended 7 days ago. */
import { linkOf } from '../../lib/jobs/next-pass.ts';
import { scheduled } from '../../lib/jobs/scheduled.ts';

/** For starting the next pass, too. */
const MARGIN_MS = 5_000;

export const handler = scheduled(
  'run-jobs',
  async ({ jobs }, signal, event) => ({ ...(await jobs.run(signal, linkOf(event))) }),
  MARGIN_MS,
);
