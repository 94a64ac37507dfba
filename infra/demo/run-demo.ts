/** The demo itself: two tenants, real documents, and what each must and must not be able to do. */
import { type DocumentFile, type Library, takeSpread } from './documents.ts';
import type { Bounds } from './each-concurrently.ts';
import type { Progress, ProgressOptions } from './progress.ts';
import { proveIsolation, proveKeysMatter } from './prove-isolation.ts';
import { proveLimit } from './prove-limit.ts';
import { proveMetering } from './prove-metering.ts';
import type { DemoService } from './service.ts';
import { createShelf, type Shelf } from './shelf.ts';
import { createStopwatch, type Stopwatch } from './stopwatch.ts';
import { type Summary, summariseLimit, summariseShelf, summariseTimes } from './summary.ts';
import { createDemoTenant, type DemoTenant } from './tenant.ts';

/** Calls under way at once, for each tenant. */
const CONCURRENCY = 16;
/** Documents that tenant B tries to reach, and that each tenant reads one at a time. */
const SAMPLE = 50;
/** Of documents that are to be kept, this share is removed all the same, to show that it works. */
const REMOVED_SHARE = 0.1;
const MIN_MEMORY_BYTES = 2 ** 28;
/** So high that the demo's own haste is not what it shows. */
const OPERATIONS_PER_MINUTE = 60_000_000;

export interface DemoRun {
  readonly service: DemoService;
  readonly library: Library;
  /** Leave the documents in the service. */
  readonly isKept: boolean;
  readonly openProgress: (options: ProgressOptions) => Progress;
  readonly signal: AbortSignal;
}

/**
 * Runs all of it. Stopped or failed in the midst, it takes away what it has stored, unless `isKept`.
 * @throws {BrokenClaimError} the service does something else than it promises. @throws the reason of `signal`.
 */
export async function runDemo(run: DemoRun): Promise<Summary> {
  const startedAt = performance.now();
  const stopwatch = createStopwatch();
  const a = await createRichTenant(run, 'A');
  const b = await createRichTenant(run, 'B');
  const removed = toRemove(run);
  const total = run.library.documents.length * 2 + removed.length;
  const progress = run.openProgress({ tenants: [a.name, b.name], total });
  const shelves = [a, b].map((tenant) => createShelf({ tenant, stopwatch, onDocument: progress.advance }));
  try {
    const used = await useShelves(run, shelves);
    progress.stop();
    const limit = await proveLimit(run.service, run.signal);
    return describeRun(run, {
      ...{ shelves, stopwatch, limit, removed },
      shown: [...used, ...limit.shown],
      tookMs: Math.round(performance.now() - startedAt),
    });
  } catch (error) {
    progress.stop();
    if (!run.isKept && !run.service.isOwn) await tidyUp(shelves, run.library.documents);
    throw error;
  }
}

function createRichTenant({ service, library }: DemoRun, name: string): Promise<DemoTenant> {
  // A document takes more than its bytes: its key, its metadata, what is charged for an entry.
  const memory = Math.max(MIN_MEMORY_BYTES, library.totalBytes * 4);
  const quotas = { memory_bytes: memory, operations_per_minute: OPERATIONS_PER_MINUTE };
  return createDemoTenant(service, { name, quotas });
}

/** Stores, reads, tries the forbidden, removes, counts. @returns what was shown. */
async function useShelves(run: DemoRun, shelves: readonly Shelf[]): Promise<string[]> {
  const { documents } = run.library;
  const [a, b] = shelves as readonly [Shelf, Shelf];
  const sample = takeSpread(documents, SAMPLE);
  const removed = toRemove(run);
  await onAll(run, shelves, (shelf, bounds) => shelf.storeAll(documents, bounds));
  await onAll(run, shelves, (shelf, bounds) => shelf.readAll(documents, bounds));
  for (const shelf of shelves) await shelf.readSingly(sample, run.signal);
  const isolation = await proveIsolation(a, b.tenant, sample);
  await onAll(run, shelves, (shelf, bounds) => shelf.removeAll(removed, bounds));
  const entries = documents.length - removed.length;
  const metering = await Promise.all(shelves.map(({ tenant }) => proveMetering(tenant, entries)));
  // Last: a refused key may be looked up at the tenant's cost, and what was metered is compared above.
  const keys = await proveKeysMatter(run.service, a.tenant, b.tenant);
  const stored = `${documents.length} documents of each tenant came back byte for byte, with their type`;
  return [stored, ...isolation, ...keys, ...metering.flat()];
}

/** All tenants at the same time. Waits for all of them, also when one has failed. */
async function onAll(
  { signal }: DemoRun,
  shelves: readonly Shelf[],
  work: (shelf: Shelf, bounds: Bounds) => Promise<void>,
): Promise<void> {
  const results = await Promise.allSettled(shelves.map((shelf) => work(shelf, { concurrency: CONCURRENCY, signal })));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

function toRemove({ isKept, library: { documents } }: DemoRun): readonly DocumentFile[] {
  return isKept ? takeSpread(documents, Math.ceil(documents.length * REMOVED_SHARE)) : documents;
}

/** Whatever it was that ended the demo: what cannot be removed now expires. */
async function tidyUp(shelves: readonly Shelf[], documents: readonly DocumentFile[]): Promise<void> {
  const bounds = { concurrency: CONCURRENCY, signal: new AbortController().signal };
  await Promise.allSettled(shelves.map((shelf) => shelf.discard(documents, bounds)));
}

interface Outcome {
  readonly shelves: readonly Shelf[];
  readonly stopwatch: Stopwatch;
  readonly limit: Awaited<ReturnType<typeof proveLimit>>;
  readonly removed: readonly DocumentFile[];
  readonly shown: readonly string[];
  readonly tookMs: number;
}

function describeRun({ service, library }: DemoRun, outcome: Outcome): Summary {
  const { shelves, stopwatch, limit, removed, shown, tookMs } = outcome;
  const { documents, tooLarge } = library;
  const ids = [...shelves.map(({ tenant }) => tenant.id), limit.tenant.id];
  return {
    ok: true,
    service: { url: service.url, started_by_demo: service.isOwn },
    documents: documents.length,
    documents_too_large: tooLarge,
    concurrency_per_tenant: CONCURRENCY,
    tenants: shelves.map(summariseShelf),
    operations: stopwatch.times().map(summariseTimes),
    limit: summariseLimit(limit),
    shown,
    left: service.isOwn ? null : { tenants: ids, documents: (documents.length - removed.length) * shelves.length },
    took_ms: tookMs,
  };
}
