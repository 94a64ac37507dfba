/** Every minute: runs long work that is due, in slices, and forgets what ended 7 days ago. */
import { scheduled } from '../../lib/jobs/scheduled.ts';

export const handler = scheduled('run-jobs', async ({ jobs }, signal) => ({ ...(await jobs.run(signal)) }));
