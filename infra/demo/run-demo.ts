/** The demo itself: tenants and real documents, what each must and must not be able to do, and what it costs. */
import type { AuditHead } from '../../lib/audit/chain.ts';
import { type Cast, createCast, proveDeleted } from './cast.ts';
import { type DocumentFile, type Library, takeSpread } from './documents.ts';
import type { Progress, ProgressOptions } from './progress.ts';
import { type LimitProof, proveLimit } from './prove-limit.ts';
import type { DemoService } from './service.ts';
import { createShelf, type Shelf } from './shelf.ts';
import { createStopwatch } from './stopwatch.ts';
import { type Left, type Summary, summariseLimit, summariseShelf, summariseTimes } from './summary.ts';
import { type AuditProof, proveAudit, readAuditHead } from './tour/prove-audit.ts';
import { proveBill } from './tour/prove-bill.ts';
import { proveUsage } from './tour/prove-usage.ts';
import { runTour, type Tour } from './tour/run-tour.ts';
import type { Shown } from './tour/stage.ts';
import { CONCURRENCY, tidyShelves, useShelves } from './use-shelves.ts';

/** Of documents that are to be kept, this share is removed all the same, to show that it works. */
const REMOVED_SHARE = 0.1;
const MIN_MEMORY_BYTES = 2 ** 28;
/** So high that the demo's own haste is not what it shows. */
const OPERATIONS_PER_MINUTE = 60_000_000;

export interface DemoRun {
  readonly service: DemoService;
  readonly library: Library;
  /** To be begun. */
  readonly sessions: number;
  /** Leave the tenants and the documents in the service. */
  readonly isKept: boolean;
  readonly openProgress: (options: ProgressOptions) => Progress;
  /** Told what is shown next, after the documents. */
  readonly onAct: (title: string) => void;
  readonly signal: AbortSignal;
}

type Shelves = readonly [Shelf, Shelf];

/**
 * Runs all of it. Stopped or failed in the midst, it takes away what it has stored, unless `isKept`.
 * @throws {BrokenClaimError} the service does something else than it promises. @throws the reason of `signal`.
 */
export async function runDemo(run: DemoRun): Promise<Summary> {
  const startedAt = performance.now();
  const cast = createCast(run.service);
  const stored: Shelf[] = [];
  try {
    const facts = await play(run, cast, stored);
    return { ...facts, took_ms: Math.round(performance.now() - startedAt) };
  } catch (error) {
    if (!run.isKept && !run.service.isOwn) {
      await tidyShelves(stored, run.library.documents);
      await cast.abandon();
    }
    throw error;
  }
}

/** @param stored told of the shelves before anything is put on them. */
async function play(run: DemoRun, cast: Cast, stored: Shelf[]): Promise<Omit<Summary, 'took_ms'>> {
  const { service, library, signal } = run;
  const stopwatch = createStopwatch();
  const noted = await readAuditHead(cast.admin);
  const a = await createRichTenant(run, cast, { name: 'A', plan: 'starter' });
  const b = await createRichTenant(run, cast, { name: 'B', plan: 'professional' });
  const removed = toRemove(run);
  const total = library.documents.length * 2 + removed.length;
  const progress = run.openProgress({ tenants: [a.name, b.name], total });
  const shelfOf = (tenant: typeof a) => createShelf({ tenant, stopwatch, onDocument: progress.advance });
  const shelves: Shelves = [shelfOf(a), shelfOf(b)];
  stored.push(...shelves);
  const used = await useShelves({ service, documents: library.documents, removed, signal }, shelves).finally(
    progress.stop,
  );
  const [limit, tour] = await together(
    proveLimit(cast, signal),
    runTour({ ...run, cast, documents: library.documents }, run.onAct),
  );
  run.onAct('Usage, a bill and the audit log');
  const usage = await proveUsage(cast.admin, [a, b]);
  const { bill, ...billed } = await proveBill(cast.admin, a);
  const end = await finish(run, { cast, noted, witness: a });
  return {
    ...describeShelves(run, shelves),
    operations: stopwatch.times().map(summariseTimes),
    limit: summariseLimit(limit),
    ...{ usage, bill, quotas_met: tour.quotasMet, cache: tour.cacheFigures, sessions: tour.sessions },
    audit: { entries: end.audit.entries, head: `${end.audit.head.seq}:${end.audit.head.hash}` },
    ...told([{ shown: used }, limit, tour, billed, end]),
    left: service.isOwn ? null : leftOf(run, cast, removed),
  };
}

/** Deletes the tenants, unless they are to be kept, and follows the audit log to its end. */
async function finish(
  { isKept }: DemoRun,
  { cast, noted, witness }: { readonly cast: Cast; readonly noted: AuditHead; readonly witness: Shelf['tenant'] },
): Promise<Shown & { readonly audit: AuditProof }> {
  if (!isKept) await cast.dismiss();
  const deleted = isKept ? [] : [await proveDeleted(cast, witness)];
  const audit = await proveAudit(cast.admin, noted, cast.ids());
  return { shown: [...audit.shown, ...deleted], audit };
}

function createRichTenant({ library }: DemoRun, cast: Cast, named: { name: string; plan: 'starter' | 'professional' }) {
  // A document takes more than its bytes: its key, its metadata, what is charged for an entry.
  const memory = Math.max(MIN_MEMORY_BYTES, library.totalBytes * 4);
  const quotas = { memory_bytes: memory, operations_per_minute: OPERATIONS_PER_MINUTE };
  return cast.create({ ...named, quotas });
}

/** Waits for both, also when one has failed: what they do is taken away only then. */
async function together(limit: Promise<LimitProof>, tour: Promise<Tour>) {
  await Promise.allSettled([limit, tour]);
  return Promise.all([limit, tour]);
}

function toRemove({ isKept, library: { documents } }: DemoRun): readonly DocumentFile[] {
  return isKept ? takeSpread(documents, Math.ceil(documents.length * REMOVED_SHARE)) : documents;
}

const told = (all: readonly Shown[]) => ({
  shown: all.flatMap(({ shown }) => shown),
  not_shown: all.flatMap(({ notShown = [] }) => notShown),
});

function leftOf({ isKept, library }: DemoRun, cast: Cast, removed: readonly DocumentFile[]): Left {
  if (!isKept) return { tenants: [], documents: 0, to_be_erased: cast.ids() };
  return { tenants: cast.ids(), documents: (library.documents.length - removed.length) * 2, to_be_erased: [] };
}

const describeShelves = ({ service, library }: DemoRun, shelves: Shelves) => ({
  ok: true as const,
  service: { url: service.url, started_by_demo: service.isOwn },
  documents: library.documents.length,
  documents_too_large: library.tooLarge,
  concurrency_per_tenant: CONCURRENCY,
  tenants: shelves.map(summariseShelf),
});
