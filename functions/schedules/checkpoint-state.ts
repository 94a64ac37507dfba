/** Every minute: starts the checkpoint that is due, one for each `state.checkpoint_interval_seconds`, and the restore drill; tells how old the newest is. */
import { scheduled } from '../../lib/jobs/scheduled.ts';
import { isByClock } from '../../lib/sessions/spillover/pass/pass-clock.ts';

export const handler = scheduled('checkpoint-state', async ({ checkpointSchedule, drills }, signal, event) => ({
  ...(await drills.startDue(signal)),
  ...(await checkpointSchedule.run(isByClock(event), signal)),
}));
