/** Every 5 minutes: finishes half-created tenants and removes expired cache entries. */
import { scheduled } from '../../lib/jobs/scheduled.ts';

export const handler = scheduled('clean-up', async ({ tenants, cleanUp }, signal) => ({
  ...(await tenants.repair()),
  ...(await cleanUp.run(signal)),
}));
