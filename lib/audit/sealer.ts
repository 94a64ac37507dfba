/** Moves pending entries into the chain, in the order they were pushed. Any number of sealers may run at once. */
import { createHash } from 'node:crypto';
import type { Keys } from '../keys.ts';
import type { Telemetry } from '../metrics/telemetry.ts';
import { sealAudit } from '../redis/bindings/audit-scripts.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { readTogether } from '../redis/read-together.ts';
import { runScript } from '../redis/script.ts';
import type { AuditArchive } from './archive.ts';
import { GENESIS, packHead, packSealed, seal, unpackHead } from './chain.ts';
import { type AuditEntry, digestOf, newAuditEntry, parseEntry, SYSTEM_ACTOR } from './entry.ts';

/** Entries sealed in one step. */
const BATCH = 100;
/** How often in a row others may have been first. Each time somebody else got on, so more than these mean a damaged list. */
const MAX_LOST = 50;

export interface SealReport {
  readonly sealed: number;
  /** False: entries are left, for the next run. */
  readonly finished: boolean;
}

export function createSealer(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly archive: AuditArchive;
  readonly telemetry: Telemetry;
  /** Unix ms: of entries the sealer itself writes. */
  readonly now: () => number;
}) {
  const { redis, keys, archive, telemetry, now } = deps;
  const scriptKeys = { pending: keys.auditPending(), log: keys.auditLog(), head: keys.auditHead() };

  const system = (action: 'audit.resume' | 'audit.unreadable', details: AuditEntry['details']) =>
    newAuditEntry({ action, tenantId: null, actor: SYSTEM_ACTOR, requestId: null, details, now: now() });

  /** Holds up nothing behind it, and its loss is told in the log itself. */
  const unreadable = (text: string): AuditEntry => {
    const digest = digestOf(text);
    telemetry.logger.error('A pending audit entry cannot be read', { digest });
    return system('audit.unreadable', { digest });
  };

  /**
   * What the next entry follows. Without a head the log is new, or Redis lost it: then it goes on from the archive, and says
   * so, so that no number is given twice.
   */
  const startOf = async (headText: string, signal?: AbortSignal) => {
    if (headText !== '') return { head: unpackHead(headText), first: [] };
    const head = await archive.findHead(signal);
    if (head === null) return { head: GENESIS, first: [] };
    telemetry.logger.error('The audit log goes on from its archive: Redis had lost it', { archived_through: head.seq });
    return { head, first: [system('audit.resume', { archived_through: head.seq })] };
  };

  /** One step. `lost`: somebody else was first; nothing was changed. */
  const step = async (signal?: AbortSignal) => {
    const [oldHead, pending] = await readTogether(
      redis,
      [
        ['GET', scriptKeys.head],
        ['LRANGE', scriptKeys.pending, 0, BATCH - 1],
      ],
      { signal },
    );
    const texts = pending as readonly string[];
    if (texts.length === 0) return { taken: 0, lost: false };
    const oldText = typeof oldHead === 'string' ? oldHead : '';
    const { head, first } = await startOf(oldText, signal);
    const chained = seal([...first, ...texts.map((text) => parseEntry(text) ?? unreadable(text))], head);
    const done = await runScript(redis, sealAudit, {
      keys: scriptKeys,
      args: {
        oldHead: oldText,
        newHead: packHead(chained.head),
        taken: texts.length,
        digest: sha1(texts),
        firstSeq: head.seq + 1,
        sealed: chained.sealed.map(packSealed),
      },
      kind: 'write',
      signal,
    });
    return { taken: done ? texts.length : 0, lost: !done };
  };

  return {
    /**
     * Seals what is pending, in batches of 100, until nothing is left, `signal` aborts or `maxSteps` are taken.
     * Running it twice, beside itself or after a kill seals every entry once.
     * @throws {RangeError} the head in Redis is damaged. @throws {BlobUnavailableError} Redis has no head, and the archive
     * cannot be asked whether there was one.
     */
    async run({ signal, maxSteps = Number.POSITIVE_INFINITY }: SealOptions = {}): Promise<SealReport> {
      let sealed = 0;
      let lost = 0;
      for (let steps = 0; steps < maxSteps && lost < MAX_LOST && !signal?.aborted; steps++) {
        const outcome = await step(signal);
        lost = outcome.lost ? lost + 1 : 0;
        sealed += outcome.taken;
        if (!outcome.lost && outcome.taken < BATCH) return { sealed, finished: true };
      }
      if (lost === MAX_LOST) telemetry.logger.error('The pending audit entries cannot be sealed', { tries: lost });
      return { sealed, finished: false };
    },
  };
}

export interface SealOptions {
  readonly signal?: AbortSignal | undefined;
  readonly maxSteps?: number;
}

/** As seal-audit.lua makes it. */
const sha1 = (texts: readonly string[]): string =>
  createHash('sha1')
    .update(texts.map((text) => `${text}\n`).join(''))
    .digest('hex');
