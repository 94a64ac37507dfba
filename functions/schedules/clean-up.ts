/**
 * Every 5 minutes: finishes half-made tenants and changes, removes expired entries, frees abandoned reservations, and keeps
 * tenants within the memory there is.
 */
import { scheduled } from '../../lib/jobs/scheduled.ts';

export const handler = scheduled(
  'clean-up',
  async ({ tenants, unpublished, cleanUp, memoryBudget, abandonedHolds }, signal) => ({
    ...(await tenants.repair()),
    ...(await unpublished.publishLeft(signal)),
    ...(await cleanUp.run(signal)),
    ...(await abandonedHolds.run(signal)),
    ...(await memoryBudget.run(signal)),
  }),
);
