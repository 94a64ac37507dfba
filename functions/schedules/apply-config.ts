/** Every minute, and when S3 tells of it: takes config/persistence.yml from S3 if it is another one, and brings Redis up to S3. */
import { scheduled } from '../../lib/jobs/scheduled.ts';

export const handler = scheduled('apply-config', ({ configReload }, signal) => configReload.takeStored(signal));
