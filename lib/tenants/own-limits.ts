/** Limits of single routes and keys, as fields of the gate. Pure. */
import { burstOf, type OwnLimit, packOwnLimit, routeLimitField } from '../gate/gate-fields.ts';
import type { TenantResponse } from './contract.ts';
import type { FurtherChange } from './tenant-change.ts';

type RateLimit = TenantResponse['rate_limit'];

/** Field and value of each route's limit, not used yet. */
export const routeLimits = (rateLimit: RateLimit): readonly (readonly [string, string])[] =>
  Object.entries(rateLimit?.routes ?? {}).map(([route, limit]) => [routeLimitField(route), packOwnLimit(limit)]);

/** What makes the gate's limits of routes those of `after`; what was used of a limit stays used. */
export function changeRouteLimits(before: RateLimit, after: RateLimit): readonly FurtherChange[] {
  const [old, wanted] = [before?.routes ?? {}, after?.routes ?? {}];
  const gone = Object.keys(old).filter((route) => !Object.hasOwn(wanted, route));
  return [
    ...gone.map((route) => ({ kind: 'del', name: routeLimitField(route) }) as const),
    ...Object.entries(wanted)
      .filter(([route, limit]) => textOf(limit) !== textOf(old[route]))
      .map(([route, limit]) => ({ kind: 'limit', name: routeLimitField(route), value: textOf(limit) }) as const),
  ];
}

const textOf = (limit: OwnLimit | undefined): string =>
  limit === undefined ? '' : `${limit.operations_per_minute},${limit.burst ?? burstOf(limit.operations_per_minute)}`;
