/** Which points of months a tenant's gate may hold. */

import { periodPoint } from '../gate/counters.ts';
import { nextPeriod, periodOf, periodsBetween } from '../gate/period.ts';
import { type TenantId, ulidTimeMs } from '../ids.ts';

/** A day before the id was made: clocks differ. */
const SLACK_MS = 86_400_000;

/** Fields of the gate: 12 for each year since the tenant was made. @param now Unix ms; a month more than there can be. */
export function monthPoints(id: TenantId, now: number): readonly string[] {
  const last = nextPeriod(periodOf(now));
  const madeMs = ulidTimeMs(id.slice('tenant-'.length));
  return periodsBetween(madeMs - SLACK_MS, last.startMs).map(({ endMs }) => periodPoint(endMs));
}
