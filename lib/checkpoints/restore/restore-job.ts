/**
 * The job `restore`. Everything is read and checked before anything is touched; then a checkpoint of what is there is made; then
 * tenant by tenant is loaded beside what serves, and switched over. Ended anywhere, the next step goes on.
 */
import { CorruptValueError } from '../../errors.ts';
import type { Job, JobRunner, JsonFields, ReportProgress, StepOutcome } from '../../jobs/job.ts';
import type { CheckpointStore } from '../checkpoint-store.ts';
import type { CheckpointManifest, CheckpointTenant } from '../format/manifest-schema.ts';
import type { Turn } from '../turn.ts';
import type { CheckpointOrder, CheckpointWriter, WriterCursor } from '../writing/checkpoint-writer.ts';
import { BEGINS, type RestoreCursor } from './restore-cursor.ts';
import type { RestorePhases } from './restore-phases.ts';
import { reportOf } from './restore-report.ts';
import { type RestoreParams, tenantsIn } from './restore-scope.ts';

export const RESTORE_JOB = 'restore';
const STEP_MS = 8_000;
/** A step tells so often that it goes on, also while one tenant takes long to be switched over or compared. */
const HEARTBEAT_MS = 5_000;
/** What follows must not find that these are to be done again: it changes, or removes, what they are about. */
const SAVED_AFTER: readonly RestoreCursor['phase'][] = ['safety', 'load'];

export interface StepContext {
  readonly params: RestoreParams;
  readonly manifest: CheckpointManifest;
  readonly lines: readonly CheckpointTenant[];
  readonly signal: AbortSignal;
  readonly isOver: () => boolean;
}

export function createRestoreRunner(deps: {
  readonly store: CheckpointStore;
  readonly writer: CheckpointWriter;
  readonly phases: RestorePhases;
  readonly turn: Turn;
}): JobRunner {
  const { store, writer, phases, turn } = deps;

  /** The tenants that are there: an empty Redis has nothing to keep. */
  const safety = async (
    cursor: RestoreCursor,
    { params, lines, signal, isOver }: StepContext,
  ): Promise<RestoreCursor> => {
    const live = await phases.liveOf(lines, signal);
    if (live.length === 0 && cursor.safety === null) return { ...cursor, phase: 'load' };
    const order: CheckpointOrder = {
      id: params.safety,
      type: 'safety',
      description: `Before the restore of ${params.checkpoint}`,
      // Whatever is restored, what was there can be put back.
      cache: true,
      tenants: live,
      configVersion: null,
    };
    let written: WriterCursor = cursor.safety ?? (await writer.begin(order, signal));
    while (written.phase !== 'done' && !isOver()) written = await writer.step(order, written, { signal, isOver });
    return { ...cursor, safety: written, phase: written.phase === 'done' ? 'load' : 'safety' };
  };

  const advance = (
    cursor: RestoreCursor,
    context: StepContext,
    tell: (done: number) => Promise<void>,
  ): Promise<RestoreCursor> => {
    if (cursor.phase === 'verify') return phases.verify(cursor, context, tell);
    if (cursor.phase === 'diff') return phases.diff(cursor, context, tell);
    if (cursor.phase === 'safety') return safety(cursor, context);
    if (cursor.phase === 'load') return phases.load(cursor, context, tell);
    if (cursor.phase === 'late') return phases.late(cursor, context);
    return phases.reclaim(cursor, context);
  };

  return {
    kind: RESTORE_JOB,

    async step(job: Job, signal: AbortSignal, report: ReportProgress): Promise<StepOutcome> {
      const params = job.params as unknown as RestoreParams;
      await turn.take(job.id, signal);
      const manifest = await store.findManifest(params.checkpoint, signal);
      if (manifest === null) throw new CorruptValueError('The checkpoint that is restored is gone');
      const until = performance.now() + STEP_MS;
      const isOver = () => performance.now() > until || signal.aborted;
      const lines = tenantsIn(manifest, params.scope);
      const context: StepContext = { params, manifest, lines, signal, isOver };
      let cursor = (job.cursor as RestoreCursor | null) ?? BEGINS;
      // As it was saved: what it says is done is not done again.
      if (cursor.phase === 'load') cursor = await phases.reclaimDone(cursor, context);
      let before: RestoreCursor['phase'];
      let told = cursor.records;
      const total = totalOf(context);
      const tell = (done: number) => {
        told = done;
        return report({ ...job.progress, done, total });
      };
      const heartbeat = setInterval(() => void tell(told), HEARTBEAT_MS);
      try {
        do {
          before = cursor.phase;
          cursor = await advance(cursor, context, tell);
        } while (cursor.phase !== 'done' && !isOver() && !(SAVED_AFTER.includes(before) && cursor.phase !== before));
      } finally {
        clearInterval(heartbeat);
      }
      signal.throwIfAborted();
      const progress = { ...job.progress, done: cursor.records, total };
      if (cursor.phase !== 'done') return { cursor: cursor as unknown as JsonFields, progress };
      await turn.giveBack(job.id);
      return {
        cursor: null,
        progress: { ...progress, done: progress.total },
        done: reportOf(params, manifest, cursor),
      };
    },
  };
}

/** Records are read twice: to be checked, and to be compared or loaded. */
const totalOf = ({ lines }: StepContext): number =>
  2 * lines.reduce((sum, { counts }) => sum + counts.cache + counts.session, 0);
