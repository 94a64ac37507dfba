/** Every 5 minutes: finishes half-made tenants and changes, removes expired entries and frees abandoned reservations. */
import { scheduled } from '../../lib/jobs/scheduled.ts';

export const handler = scheduled('clean-up', async ({ tenants, unpublished, cleanUp, abandonedHolds }, signal) => ({
  ...(await tenants.repair()),
  ...(await unpublished.publishLeft(signal)),
  ...(await cleanUp.run(signal)),
  ...(await abandonedHolds.run(signal)),
}));
