/**
 * Sealed entries that are old, in S3: blocks of exactly 1,000 lines, written once, and only then removed from Redis. A run
 * killed anywhere is ended by the next one; two at once do the same thing twice.
 */
import type { Blob, BlobStore } from '../blobs/store.ts';
import { CorruptValueError } from '../errors.ts';
import { AUDIT_BLOCKS, auditBlockKey, type Keys } from '../keys.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { readTogether } from '../redis/read-together.ts';
import { bySeq } from './by-seq.ts';
import { type AuditHead, parseSealed, unpackHead } from './chain.ts';
import { verify } from './verify-chain.ts';

/** Entries of one object. */
export const BLOCK = 1_000;
/** First number of the block that an entry is in. */
export const blockOf = (seq: number): number => seq - ((seq - 1) % BLOCK);
/** The newest entries stay in Redis, at least so many. */
const KEPT = 10_000;
/** Far more than a block of the largest entries. */
const MAX_BLOCK_BYTES = 16 * 1024 * 1024;

export interface ArchiveReport {
  readonly blocks: number;
  /** False: time ran out; the next run goes on. */
  readonly finished: boolean;
}

export type AuditArchive = ReturnType<typeof createAuditArchive>;

export function createAuditArchive(deps: {
  readonly redis: RedisDriver;
  readonly blobs: BlobStore;
  readonly keys: Keys;
}) {
  const { redis, blobs, keys } = deps;
  const log = keys.auditLog();

  /** The first number in Redis when a block of it is due; null: none is. */
  const findDue = async (signal?: AbortSignal): Promise<number | null> => {
    const commands = [
      ['GET', keys.auditHead()],
      ['ZRANGE', log, 0, 0, 'WITHSCORES'],
    ] as const;
    const [head, oldest] = await readTogether(redis, commands, { signal });
    const [first] = bySeq(oldest).keys();
    if (typeof head !== 'string' || first === undefined) return null;
    return unpackHead(head).seq - (first + BLOCK - 1) >= KEPT ? first : null;
  };

  /** @throws {CorruptValueError} Redis does not hold it whole and unbroken: then nothing is moved. */
  const readBlock = async (first: number, signal?: AbortSignal): Promise<Buffer> => {
    const command = ['ZRANGE', log, first, first + BLOCK - 1, 'BYSCORE', 'WITHSCORES'] as const;
    const lines = [...bySeq(await redis.send(command, { kind: 'read', signal })).values()];
    const { ok } = verify(lines, { after: 'any' });
    if (!ok || lines.length !== BLOCK || first !== blockOf(first))
      throw new CorruptValueError('The audit log is broken; its old entries stay in Redis', { details: { first } });
    return Buffer.from(lines.map((line) => `${line}\n`).join(''));
  };

  const moveBlock = async (first: number, signal?: AbortSignal): Promise<void> => {
    const body = await readBlock(first, signal);
    const key = auditBlockKey(first, BLOCK);
    const written = await blobs.put({ key, body, contentType: 'application/x-ndjson', onlyIf: 'absent' }, { signal });
    if (written === null) {
      const there = await blobs.get(key, { signal, maxBytes: MAX_BLOCK_BYTES });
      if (there === null || !there.body.equals(body))
        throw new CorruptValueError('The archive holds other audit entries under these numbers', {
          details: { first },
        });
    }
    await redis.send(['ZREMRANGEBYSCORE', log, first, first + BLOCK - 1], { kind: 'write', signal });
  };

  return {
    /**
     * Moves every block that is due.
     * @throws {CorruptValueError} what should be moved is broken, or the archive has something else there.
     */
    async run(signal?: AbortSignal): Promise<ArchiveReport> {
      let blocks = 0;
      while (!signal?.aborted) {
        const first = await findDue(signal);
        if (first === null) return { blocks, finished: true };
        try {
          await moveBlock(first, signal);
          blocks++;
        } catch (error) {
          // Somebody else may have moved it between the look and the reading: then it is whole where it is now.
          if (!(error instanceof CorruptValueError) || (await findDue(signal)) === first) throw error;
        }
      }
      return { blocks, finished: false };
    },

    /** Lines of the block that begins at `first`, by number; empty when there is none. */
    async read(first: number, signal?: AbortSignal): Promise<ReadonlyMap<number, string>> {
      const block = await blobs.get(auditBlockKey(first, BLOCK), { signal, maxBytes: MAX_BLOCK_BYTES });
      return new Map(block === null ? [] : linesOf(block).map((line, i) => [first + i, line]));
    },

    /** The last archived entry; null: nothing was ever archived. @throws {CorruptValueError} it cannot be read. */
    async findHead(signal?: AbortSignal): Promise<AuditHead | null> {
      let newest: string | undefined;
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<BlobStore['list']>> = await blobs.list(
          { prefix: AUDIT_BLOCKS, cursor: cursor ?? undefined },
          { signal },
        );
        newest = page.items.at(-1)?.key ?? newest;
        cursor = page.nextCursor;
      } while (cursor !== null);
      if (newest === undefined) return null;
      const block = await blobs.get(newest, { signal, maxBytes: MAX_BLOCK_BYTES });
      const last = parseSealed((block && linesOf(block).at(-1)) ?? '');
      if (last === null) throw new CorruptValueError('The newest block of the audit archive cannot be read');
      return { seq: last.seq, hash: last.hash };
    },
  };
}

const linesOf = ({ body }: Blob): readonly string[] => body.toString('utf8').trimEnd().split('\n');
