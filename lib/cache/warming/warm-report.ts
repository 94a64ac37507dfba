/** What became of entries that were to be loaded. Pure. */
import type { LoadStatus } from './load-plan.ts';
import type { WarmItem, WarmStatus } from './warm-contract.ts';

export type WarmCounts = Readonly<Partial<Record<WarmStatus, number>>>;

/** Items a job's result has itself; further ones are in its reports. */
export const MAX_ITEMS = 20;

/** Nothing is wrong with these. */
const FINE: readonly WarmStatus[] = ['stored', 'skipped_exists', 'skipped_absent', 'expired'];

export const isProblem = ({ status }: WarmItem): boolean => !FINE.includes(status);

/** In alphabetical order of the statuses, so that the same counts read the same. */
export function addCounts(counts: WarmCounts, items: readonly WarmItem[]): WarmCounts {
  const sums: Partial<Record<WarmStatus, number>> = { ...counts };
  for (const { status } of items) sums[status] = (sums[status] ?? 0) + 1;
  return Object.fromEntries(Object.entries(sums).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const DETAILS: Partial<Record<LoadStatus, string>> = {
  duplicate: 'the same entry is named before',
  memory_full: 'the memory of the tenant is full',
  storage_full: 'the storage of the tenant is full',
  too_large: 'it is larger than entries may be',
};

/** The item of an entry that was given to the loader. */
export function itemOf(status: LoadStatus, where: Omit<WarmItem, 'status' | 'detail'>): WarmItem {
  const detail = DETAILS[status];
  return detail === undefined ? { status, ...where } : { status, ...where, detail };
}
