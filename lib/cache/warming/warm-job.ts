/** The job `warm-cache`: loads an export, a frame a step. A frame that cannot be used is told of, and stops no other. */
import { CorruptValueError } from '../../errors.ts';
import type { Job, JobRunner, JsonFields, StepOutcome } from '../../jobs/job.ts';
import { readLines } from '../exports/export-format.ts';
import { tenantOf } from '../exports/export-job.ts';
import { type ExportStore, exportFolder, type StoredExport } from '../exports/export-store.ts';
import type { EntryLoader } from './entry-loader.ts';
import type { EntryPeeker } from './entry-peeker.ts';
import type { LoadedEntry } from './load-plan.ts';
import type { WarmItem } from './warm-contract.ts';
import { checkLine } from './warm-entry.ts';
import { addCounts, isProblem, itemOf, MAX_ITEMS, type WarmCounts } from './warm-report.ts';

export interface WarmParams {
  /** Key of the manifest. */
  readonly export: string;
  readonly overwrite: boolean;
  readonly dryRun: boolean;
  /** Milliseconds; null never; absent: what is left to each entry. */
  readonly ttlMs?: number | null;
}

interface WarmCursor {
  /** The next one. */
  readonly frame: number;
  readonly counts: WarmCounts;
  readonly items: readonly WarmItem[];
  readonly reports: readonly string[];
}

const BEGINNING: WarmCursor = { frame: 0, counts: {}, items: [], reports: [] };

export function createWarmRunner(deps: {
  readonly loader: EntryLoader;
  readonly peeker: EntryPeeker;
  readonly exports: ExportStore;
  readonly maxValueBytes: number;
}): JobRunner {
  const { loader, peeker, exports } = deps;

  const loadFrame = async (
    job: Job,
    found: StoredExport,
    n: number,
    signal: AbortSignal,
  ): Promise<readonly WarmItem[]> => {
    const id = tenantOf(job);
    const { overwrite, dryRun, ttlMs } = job.params as unknown as WarmParams;
    const { maxValueBytes } = deps;
    const firstLine = found.manifest.frames.slice(0, n).reduce((line, { entries }) => line + entries, 1);
    const { context } = await peeker.peek(id, [], { signal });
    const content = await exports.readFrame(found, n, { context, maxValueBytes, signal });
    const items: WarmItem[] = [];
    const entries: (LoadedEntry & { readonly line: number })[] = [];
    for (const read of readLines(content, { line: firstLine, maxValueBytes })) {
      const checked = checkLine(read, ttlMs);
      if ('entry' in checked) entries.push({ ...checked.entry, line: read.line });
      else items.push({ status: 'invalid', line: read.line, detail: checked.detail });
    }
    const operation = `${job.id}:${n}`;
    const outcomes = await loader.store(id, entries, { operation, overwrite, dryRun, signal });
    return [...items, ...outcomes.map((status, i) => itemOf(status, { line: entries[i]?.line }))];
  };

  /** @returns an item for each line of a frame that cannot be used, too. */
  const tryFrame = (job: Job, found: StoredExport, n: number, signal: AbortSignal): Promise<readonly WarmItem[]> =>
    loadFrame(job, found, n, signal).catch((error: unknown) => {
      if (!(error instanceof CorruptValueError)) throw error;
      const frames = found.manifest.frames;
      const firstLine = frames.slice(0, n).reduce((line, { entries }) => line + entries, 1);
      const detail = `frame ${n + 1} of the export: ${error.message}`;
      return Array.from({ length: frames[n]?.entries ?? 0 }, (_, i) => ({
        status: 'invalid',
        line: firstLine + i,
        detail,
      }));
    });

  /** Beyond what the result itself tells, a report is kept. */
  const report = async (job: Job, cursor: WarmCursor, items: readonly WarmItem[], signal: AbortSignal) => {
    const problems = items.filter(isProblem);
    const room = MAX_ITEMS - cursor.items.length;
    if (problems.length <= room) return { items: [...cursor.items, ...problems], reports: cursor.reports };
    const key = `${exportFolder(tenantOf(job), job.id)}problems-${String(cursor.frame).padStart(6, '0')}.ndjson`;
    await exports.putReport(key, problems, signal);
    return { items: [...cursor.items, ...problems.slice(0, room)], reports: [...cursor.reports, key] };
  };

  return {
    kind: 'warm-cache',

    async step(job: Job, signal: AbortSignal): Promise<StepOutcome> {
      const params = job.params as unknown as WarmParams;
      const cursor = (job.cursor ?? BEGINNING) as unknown as WarmCursor;
      const found = await exports.find(tenantOf(job), params.export, signal);
      const { frames, entries: total } = found.manifest;
      const items = cursor.frame < frames.length ? await tryFrame(job, found, cursor.frame, signal) : [];
      const frame = cursor.frame + 1;
      const counts = addCounts(cursor.counts, items);
      const next: WarmCursor = { frame, counts, ...(await report(job, cursor, items, signal)) };
      const done = frames.slice(0, frame).reduce((lines, { entries }) => lines + entries, 0);
      const outcome = { cursor: next as unknown as JsonFields, progress: { ...job.progress, done, total } };
      return frame < frames.length ? outcome : { ...outcome, cursor: null, done: resultOf(params, next) };
    },
  };
}

/** As WarmCacheResponse. */
function resultOf({ dryRun }: WarmParams, { counts, items, reports }: WarmCursor): JsonFields {
  const result = { dry_run: dryRun, counts, items };
  return (reports.length === 0 ? result : { ...result, reports }) as unknown as JsonFields;
}
