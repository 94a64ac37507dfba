/** Two tenants and their documents: stored, read, protected from each other, removed, metered. */
import { type DocumentFile, takeSpread } from './documents.ts';
import { allEnded, type Bounds } from './each-concurrently.ts';
import { proveIsolation, proveKeysMatter } from './prove-isolation.ts';
import { proveMetering } from './prove-metering.ts';
import type { Shelf } from './shelf.ts';
import type { ServiceAddress } from './tenant.ts';

/** Calls under way at once, for each tenant. */
export const CONCURRENCY = 16;
/** Documents that tenant B tries to reach, and that each tenant reads one at a time. */
const SAMPLE = 50;

export interface ShelfUse {
  readonly service: ServiceAddress;
  readonly documents: readonly DocumentFile[];
  /** Of the documents, those that are removed in the end. */
  readonly removed: readonly DocumentFile[];
  readonly signal: AbortSignal;
}

/** @returns what was shown. @throws {BrokenClaimError} */
export async function useShelves(use: ShelfUse, [a, b]: readonly [Shelf, Shelf]): Promise<string[]> {
  const { documents, removed, service, signal } = use;
  const shelves = [a, b];
  const sample = takeSpread(documents, SAMPLE);
  await onAll(shelves, signal, (shelf, bounds) => shelf.storeAll(documents, bounds));
  await onAll(shelves, signal, (shelf, bounds) => shelf.readAll(documents, bounds));
  for (const shelf of shelves) await shelf.readSingly(sample, signal);
  const isolation = await proveIsolation(a, b.tenant, sample);
  await onAll(shelves, signal, (shelf, bounds) => shelf.removeAll(removed, bounds));
  const entries = documents.length - removed.length;
  const metering = await Promise.all(shelves.map(({ tenant }) => proveMetering(tenant, entries)));
  // Last: a refused key may be looked up at the tenant's cost, and what was metered is compared above.
  const keys = await proveKeysMatter(service, a.tenant, b.tenant);
  const stored = `${documents.length} documents of each tenant came back byte for byte, with their type`;
  return [stored, ...isolation, ...keys, ...metering.flat()];
}

/** Whatever it was that ended the demo: what cannot be removed now expires. */
export async function tidyShelves(shelves: readonly Shelf[], documents: readonly DocumentFile[]): Promise<void> {
  const bounds = { concurrency: CONCURRENCY, signal: new AbortController().signal };
  await Promise.allSettled(shelves.map((shelf) => shelf.discard(documents, bounds)));
}

/** All tenants at the same time. */
const onAll = (
  shelves: readonly Shelf[],
  signal: AbortSignal,
  work: (shelf: Shelf, bounds: Bounds) => Promise<void>,
): Promise<void> => allEnded(shelves.map((shelf) => work(shelf, { concurrency: CONCURRENCY, signal })));
