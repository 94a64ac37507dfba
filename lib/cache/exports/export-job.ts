/** The job `export-cache`: writes the entries of a namespace to S3, a frame a step. */
import { NotFoundError } from '../../errors.ts';
import type { TenantContext } from '../../gate/context-format.ts';
import type { TenantId } from '../../ids.ts';
import { isoOf } from '../../iso-time.ts';
import type { Job, JobRunner, JsonFields, StepOutcome } from '../../jobs/job.ts';
import { type Keys, parseListing } from '../../keys.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { type EntryRange, entriesOf, rangeCommand } from '../invalidation/entry-range.ts';
import { type EntryPeeker, PEEK_ENTRIES, type Peeked } from '../warming/entry-peeker.ts';
import { FRAME_RAW_BYTES, packFrame } from './export-format.ts';
import { lineOf } from './export-line.ts';
import {
  type ExportStore,
  exportFolder,
  isSealed,
  manifestKey,
  type StoredExport,
  type StoredFrame,
} from './export-store.ts';

/** Exports are kept so long. */
export const EXPORT_KEPT_MS = 7 * 86_400_000;
/** A frame is written when so much time has passed, however small it is: a step must end within its lease. */
const STEP_MS = 8_000;

export interface ExportParams {
  readonly namespace: string;
  readonly prefix: string;
  readonly plaintext: boolean;
}

interface ExportCursor {
  /** Member of the index that was looked at last; empty: none. */
  readonly after: string;
  readonly frames: readonly StoredFrame[];
  /** Entries that could not be read. */
  readonly damaged: number;
}

const BEGINNING: ExportCursor = { after: '', frames: [], damaged: 0 };

/** One step: what it takes into its frame. */
interface Batch {
  readonly lines: Buffer[];
  bytes: number;
  after: string;
  damaged: number;
  /** Nothing is left. */
  ended: boolean;
}

export function createExportRunner(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly peeker: EntryPeeker;
  readonly exports: ExportStore;
}): JobRunner {
  const { redis, keys, peeker, exports } = deps;

  /** Members of entries from `after` on, which begin as asked. */
  const page = async ({ id, generation, range, after, signal }: Page) => {
    const command = rangeCommand(keys.index(id, generation), range, after === '' ? null : after, PEEK_ENTRIES);
    const members = (await redis.send(command, { kind: 'read', signal })) as readonly string[];
    const ours = members.filter((member) => member.startsWith(range.prefix));
    return { members: ours, last: ours.length < PEEK_ENTRIES };
  };

  /** Takes entries of a page, until the frame is full. @returns whether there is room for more. */
  const take = async (
    { id, signal }: Pick<Page, 'id' | 'signal'>,
    members: readonly string[],
    peeked: Peeked,
    batch: Batch,
  ): Promise<boolean> => {
    for (const [i, text] of peeked.texts.entries()) {
      const member = members[i] as string;
      const name = parseListing(member);
      const entry = text === '' ? undefined : await peeker.decode(id, name, text, peeked, signal);
      if (entry === null) batch.damaged++;
      if (entry) {
        const line = lineOf({ name, ...entry });
        if (batch.lines.length > 0 && batch.bytes + line.length > FRAME_RAW_BYTES) return false;
        batch.lines.push(line);
        batch.bytes += line.length;
      }
      batch.after = member;
    }
    return true;
  };

  const gather = async (
    id: TenantId,
    known: TenantContext,
    range: EntryRange,
    cursor: ExportCursor,
    signal: AbortSignal,
  ) => {
    const batch: Batch = { lines: [], bytes: 0, after: cursor.after, damaged: 0, ended: false };
    const until = performance.now() + STEP_MS;
    while (performance.now() < until) {
      const { members, last } = await page({ id, generation: known.generation, range, after: batch.after, signal });
      const names = members.map(parseListing);
      const peeked = names.length === 0 ? null : await peeker.peek(id, names, { known, signal });
      const goesOn = peeked === null || (await take({ id, signal }, members, peeked, batch));
      batch.ended = goesOn && last && (peeked?.texts.length ?? 0) === members.length;
      if (!goesOn || batch.ended) break;
    }
    return batch;
  };

  const total = async (id: TenantId, generation: number, { first, last }: EntryRange, signal: AbortSignal) =>
    (await redis.send(['ZLEXCOUNT', keys.index(id, generation), `[${first}`, `(${last}`], {
      kind: 'read',
      signal,
    })) as number;

  return {
    kind: 'export-cache',

    async step(job: Job, signal: AbortSignal): Promise<StepOutcome> {
      const id = tenantOf(job);
      const { namespace, prefix, plaintext } = job.params as unknown as ExportParams;
      const cursor = (job.cursor ?? BEGINNING) as unknown as ExportCursor;
      const range = entriesOf(namespace, prefix);
      const { context } = await peeker.peek(id, [], { signal });
      // How many keys begin so is not known without looking at them.
      const known =
        prefix === '' && job.cursor === null ? await total(id, context.generation, range, signal) : job.progress.total;
      const batch = await gather(id, context, range, cursor, signal);
      const folder = exportFolder(id, job.id);
      const frames = [...cursor.frames];
      if (batch.lines.length > 0) {
        const last = frames.at(-1);
        const packed = await packFrame(batch.lines, last === undefined ? 0 : last.offset + last.length);
        frames.push(await exports.putFrame({ id, folder, context: plaintext ? null : context }, packed, signal));
      }
      const next: ExportCursor = { after: batch.after, frames, damaged: cursor.damaged + batch.damaged };
      const done = frames.reduce((entries, frame) => entries + frame.entries, 0) + next.damaged;
      const progress = { ...job.progress, done, total: batch.ended ? done : known };
      const outcome = { cursor: next as unknown as JsonFields, progress };
      if (!batch.ended) return outcome;
      const facts = { tenant_id: id, namespace, prefix, sealed: frames.some(({ object }) => isSealed(object)) };
      const stored = await exports.putManifest(folder, facts, frames, signal);
      return { ...outcome, cursor: null, done: resultOf(job, stored, next.damaged) };
    },
  };
}

interface Page {
  readonly id: TenantId;
  readonly generation: number;
  readonly range: EntryRange;
  /** Member of the index; empty: from the beginning. */
  readonly after: string;
  readonly signal: AbortSignal;
}

/** @throws {NotFoundError} a job of no tenant. */
export function tenantOf({ tenantId }: Job): TenantId {
  if (tenantId === null) throw new NotFoundError('tenant_not_found', 'No such tenant');
  return tenantId;
}

function resultOf(job: Job, { manifest, tenant_id, sealed }: StoredExport, damaged: number): JsonFields {
  const { entries, bytes, raw_bytes, frames } = manifest;
  const key = manifestKey(tenant_id, job.id);
  const madeMs = job.startedAtMs ?? job.updatedAtMs;
  return {
    manifest: key,
    entries,
    bytes,
    raw_bytes,
    frames: frames.length,
    damaged,
    encrypted: sealed,
    expires_at: isoOf(madeMs + EXPORT_KEPT_MS),
  };
}
