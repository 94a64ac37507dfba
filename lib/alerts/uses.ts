/** How far a tenant uses its quotas, read from its gate and from refusals. Pure. */
import type { Quotas } from '../config/config.ts';
import { type Counters, minutePoint } from '../gate/counters.ts';
import { RESOURCES, type Resource } from './resources.ts';
import { alertPeriod, type Use } from './thresholds.ts';

/** Minutes looked back at: a pass that was late or left out loses nothing. */
const MINUTES_BACK = 5;
const MINUTE_MS = 60_000;
/** What is older is not told any more: its period may be forgotten, and it would be told again. */
const LATE_MS = 60 * MINUTE_MS;

/** Fields of the gate with what was done in each of the last minutes. */
export const recentPoints = (nowMs: number): readonly string[] =>
  Array.from({ length: MINUTES_BACK }, (_, i) => minutePoint(Math.floor(nowMs / MINUTE_MS) - i - 1));

export interface Signs {
  readonly quotas: Quotas;
  readonly counters: Counters;
  /** As they stood at the end of the last minutes; slots may hold older ones. */
  readonly points: readonly Counters[];
  /** When work was last refused because of a quota, Unix ms. */
  readonly refusals: ReadonlyMap<Resource, number>;
}

/** All uses that may be told of: stock as it is now, transfer of the month, each of the last minutes, refusals. */
export function usesOf(signs: Signs, nowMs: number): readonly Use[] {
  const { counters, points } = signs;
  const use = (resource: Resource, used: number, atMs: number, refused = false): Use => ({
    resource,
    period: alertPeriod(resource, atMs),
    used,
    limit: signs.quotas[resource],
    refused,
  });
  const isFresh = (atMs: number) => nowMs - atMs < LATE_MS;
  const minutes = [counters, ...points].filter(({ minute }) => isFresh(minute * MINUTE_MS));
  return [
    use('memory_bytes', counters.memoryBytes, nowMs),
    use('storage_bytes', counters.storageBytes, nowMs),
    ...minutes.map((at) => use('operations_per_minute', at.operationsThisMinute, at.minute * MINUTE_MS)),
    // The month it was counted in, which may have ended since.
    ...(isFresh(counters.periodEndMs)
      ? [use('data_transfer_bytes', counters.transferBytes, counters.periodEndMs - 1)]
      : []),
    ...RESOURCES.flatMap((resource) => {
      const atMs = signs.refusals.get(resource);
      return atMs === undefined || !isFresh(atMs) ? [] : [use(resource, usedOf(counters, resource), atMs, true)];
    }),
  ];
}

function usedOf(counters: Counters, resource: Resource): number {
  switch (resource) {
    case 'memory_bytes':
      return counters.memoryBytes;
    case 'storage_bytes':
      return counters.storageBytes;
    case 'operations_per_minute':
      return counters.operationsThisMinute;
    case 'data_transfer_bytes':
      return counters.transferBytes;
  }
}
