/**
 * Every minute: closes the invoices of months that have ended, finds quotas that fill up, seals the audit log and archives its
 * old entries, and sends webhooks: last, because they wait for other machines.
 */
import { scheduled } from '../../lib/jobs/scheduled.ts';
import { runSteps } from '../../lib/jobs/steps.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';

export const handler = scheduled('bill-tenants', ({ alerts, audit, billing }, signal) =>
  runSteps(
    {
      billing: (stop) => billing.closeWhenDue(stop),
      alerts: (stop) => alerts.evaluate(stop),
      audit_seal: (stop) => audit.seal(stop),
      audit_archive: (stop) => audit.archive(stop),
      webhooks: (stop) => alerts.deliver(stop),
    },
    signal,
    telemetry,
  ),
);
