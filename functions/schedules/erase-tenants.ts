/** Every 5 minutes: erases tenants whose undo window has ended, and wraps data keys again after the master key changed. */
import { scheduled } from '../../lib/jobs/scheduled.ts';
import { runSteps } from '../../lib/jobs/steps.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';

export const handler = scheduled('erase-tenants', ({ erasure, keyRotation }, signal) =>
  runSteps(
    {
      erase: (stop) => erasure.eraseDue(stop),
      rewrap: (stop) => keyRotation.rewrapDue(stop),
    },
    signal,
    telemetry,
  ),
);
