/** Every 5 minutes: finishes half-created tenants, removes expired cache entries and frees abandoned reservations. */
import { scheduled } from '../../lib/jobs/scheduled.ts';

export const handler = scheduled('clean-up', async ({ tenants, cleanUp, abandonedHolds }, signal) => ({
  ...(await tenants.repair()),
  ...(await cleanUp.run(signal)),
  ...(await abandonedHolds.run(signal)),
}));
