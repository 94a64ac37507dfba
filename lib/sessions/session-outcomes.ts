/** What scripts that write sessions answer, and the errors of those that did not go well. Pure. */
import { type AppError, SessionCorruptError, StorageFullError, VersionConflictError } from '../errors.ts';
import { memoryFull, readShortage, storageFull } from '../gate/full.ts';
import type { RedisReply } from '../redis/driver.ts';

export const NONE = 0;
export const DONE = 1;
export const EXISTS = 2;
export const OTHER_VERSION = 3;
export const REPLAY = 4;
export const MEMORY_FULL = 5;
export const TERMINATED = 6;
export const COLD = 7;
export const STORAGE_FULL = 8;
export const UNREADABLE = 9;
export const SHARE_FULL = 10;
export const TOO_LARGE = 11;
export const OBJECT_GONE = 12;

/** Sessions are moved to S3 all the time: in so long there may be room. */
const FULL_RETRY_MS = 30_000;

/** What a write of hot sessions needs, and what there is. Bytes. */
export interface SessionNeed {
  readonly hotBytes: number;
  readonly shareBytes: number;
  /** Of the share. */
  readonly epoch: number;
  readonly neededBytes: number;
}

export const isFull = ([outcome]: readonly RedisReply[]): boolean => outcome === MEMORY_FULL || outcome === SHARE_FULL;

/** Behind {@link SHARE_FULL}. */
export const readNeed = ([, hot, share, epoch, needed]: readonly RedisReply[]): SessionNeed => ({
  hotBytes: Number(hot),
  shareBytes: Number(share),
  epoch: Number(epoch),
  neededBytes: Number(needed),
});

/** Of an answer that {@link isFull}. */
export function noRoom(found: readonly RedisReply[]): AppError {
  if (found[0] === MEMORY_FULL)
    return memoryFull(readShortage(found), 'terminate sessions, delete entries, or ask for a larger quota');
  if (found[0] === STORAGE_FULL)
    return storageFull(readShortage(found), 'terminate sessions, delete large entries, or ask for a larger quota');
  if (found[0] === OBJECT_GONE) return movedAgain();
  return sessionMemoryFull(readNeed(found));
}

export const sessionMemoryFull = ({ hotBytes, shareBytes, neededBytes }: SessionNeed): AppError =>
  new StorageFullError('session_memory_full', 'The memory of sessions is full, and none could be moved to S3 now', {
    details: { used: hotBytes, limit: shareBytes, needed: neededBytes },
    retryAfterMs: FULL_RETRY_MS,
  });

/** Brought back and moved to S3 again, before it could be changed. */
export const movedAgain = (): AppError =>
  new StorageFullError(
    'session_memory_full',
    'The session was moved to S3 again and again while it was to be changed',
    {
      retryAfterMs: 1_000,
    },
  );

/** @throws {SessionCorruptError} the script could not read what is stored. */
export function requireReadable(outcome: RedisReply | undefined): void {
  if (outcome === UNREADABLE) throw new SessionCorruptError('The session cannot be read where it is stored');
}

export const otherVersion = (current: number): AppError => new VersionConflictError(current);
