/**
 * Every 5 minutes: finishes half-made tenants and changes, removes expired entries and sessions and data that a restore replaced,
 * counts shares of the session memory that were lost, frees abandoned reservations, keeps tenants within the memory there is,
 * sums up the statistics, and removes old exports and what checkpoints left behind.
 */
import { scheduled } from '../../lib/jobs/scheduled.ts';

export const handler = scheduled(
  'clean-up',
  async (
    {
      tenants,
      unpublished,
      cleanUp,
      memoryBudget,
      abandonedHolds,
      cacheStatsSum,
      oldExports,
      sessionUpkeep,
      checkpointUpkeep,
    },
    signal,
  ) => ({
    ...(await tenants.repair()),
    ...(await unpublished.publishLeft(signal)),
    ...(await cleanUp.run(signal)),
    ...(await sessionUpkeep.run(signal)),
    ...(await abandonedHolds.run(signal)),
    ...(await memoryBudget.run(signal)),
    ...(await cacheStatsSum.run(signal)),
    ...(await oldExports.run(signal)),
    ...(await checkpointUpkeep.run(signal)),
  }),
);
