/** Every minute: closes the invoices of months that have ended, seals the audit log and archives its old entries. */
import { scheduled } from '../../lib/jobs/scheduled.ts';
import { runSteps } from '../../lib/jobs/steps.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';

export const handler = scheduled('bill-tenants', ({ audit, billing }, signal) =>
  runSteps(
    {
      billing: (stop) => billing.closeWhenDue(stop),
      audit_seal: (stop) => audit.seal(stop),
      audit_archive: (stop) => audit.archive(stop),
    },
    signal,
    telemetry,
  ),
);
