/** The audit log: what administration did, in one chain of hashes. Redis holds the newest entries, S3 the old ones. */
import type { BlobStore } from '../blobs/store.ts';
import { OutcomeUnknownError, StorageFullError } from '../errors.ts';
import type { Keys } from '../keys.ts';
import type { Telemetry } from '../metrics/telemetry.ts';
import { appendAudit } from '../redis/bindings/audit-scripts.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { runScript } from '../redis/script.ts';
import { type ArchiveReport, blockOf, createAuditArchive } from './archive.ts';
import { bySeq } from './by-seq.ts';
import { type AuditHead, GENESIS, unpackHead } from './chain.ts';
import { type AuditEntry, packEntry } from './entry.ts';
import { type PageLines, type PageRequest, pageOf, rangeOf, type SeqRange } from './page.ts';
import { createSealer, type SealReport } from './sealer.ts';

export interface AuditPage extends PageLines {
  /** Of the log, when the page was read. */
  readonly head: AuditHead;
}

export interface Audit {
  /**
   * Hands an entry to the log: once, however often it is called with the same entry. One round trip.
   * @throws {OutcomeUnknownError} the reply was lost twice; calling again is safe.
   */
  append(entry: AuditEntry, signal?: AbortSignal): Promise<void>;
  /** Seals all that is pending; the schedule's work. */
  seal(signal?: AbortSignal): Promise<SealReport>;
  /** Moves the oldest of more than 10,000 sealed entries to S3; the schedule's work. */
  archive(signal?: AbortSignal): Promise<ArchiveReport>;
  /**
   * One page. The first one seals what is pending, so that what was just done is in it. With a filter it looks at 1,000
   * entries at most, and may be short while more follow. Trips: 2, for a first page up to 8; and 2 to S3 for old entries.
   * @throws {BlobUnavailableError} old entries are asked for, and S3 cannot be reached.
   */
  list(request: PageRequest & { readonly signal?: AbortSignal | undefined }): Promise<AuditPage>;
}

export interface AuditDeps {
  readonly redis: RedisDriver;
  readonly blobs: BlobStore;
  readonly keys: Keys;
  readonly telemetry: Telemetry;
  /** Unix ms. */
  readonly now: () => number;
}

/** Batches sealed for one first page. Three, so that two others who are faster hide nothing that was done before. */
const SEAL_STEPS = 3;

export function createAudit(deps: AuditDeps): Audit {
  const { redis, keys, telemetry } = deps;
  const archive = createAuditArchive(deps);
  const sealer = createSealer({ ...deps, archive });

  const push = async (entry: AuditEntry, signal?: AbortSignal) => {
    await runScript(redis, appendAudit, {
      keys: { pending: keys.auditPending(), seen: keys.auditSeen() },
      args: { id: entry.id, json: packEntry(entry) },
      kind: 'write',
      signal,
    });
  };

  const headOf = async (signal?: AbortSignal): Promise<AuditHead> => {
    const text = await redis.send(['GET', keys.auditHead()], { kind: 'read', signal });
    return typeof text === 'string' ? unpackHead(text) : GENESIS;
  };

  /** Lines of a range by number: from Redis, and what it does not hold from the archive's blocks, two at most. */
  const readRange = async ({ from, to }: SeqRange, signal?: AbortSignal): Promise<ReadonlyMap<number, string>> => {
    if (to < from) return new Map();
    const command = ['ZRANGE', keys.auditLog(), from, to, 'BYSCORE', 'WITHSCORES'] as const;
    const found = bySeq(await redis.send(command, { kind: 'read', signal }));
    const absent = Array.from({ length: to - from + 1 }, (_, i) => from + i).filter((seq) => !found.has(seq));
    for (const first of new Set(absent.map(blockOf))) {
      for (const [seq, line] of await archive.read(first, signal)) if (!found.has(seq)) found.set(seq, line);
    }
    const lost = absent.filter((seq) => !found.has(seq));
    if (lost.length > 0)
      telemetry.logger.error('Audit entries are missing', { first: lost[0] ?? 0, entries: lost.length });
    return found;
  };

  return {
    async append(entry, signal) {
      await push(entry, signal).catch((error: unknown) => {
        if (!(error instanceof OutcomeUnknownError) || signal?.aborted) throw error;
        return push(entry, signal);
      });
    },

    seal: (signal) => sealer.run({ signal }),
    archive: (signal) => archive.run(signal),

    async list({ signal, ...request }) {
      if (request.after === undefined) await sealer.run({ signal, maxSteps: SEAL_STEPS }).catch(unlessFull);
      const head = await headOf(signal);
      const range = rangeOf(request, head.seq);
      return { ...pageOf(request, range, await readRange(range, signal), head.seq), head };
    },
  };
}

/** A full store takes no new entries; those it has can be read all the same. */
function unlessFull(error: unknown): void {
  if (!(error instanceof StorageFullError)) throw error;
}
