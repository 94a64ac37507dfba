/** What scripts that store, change or remove entries answer for each, and the errors of those that did not go well. Pure. */
import { type AppError, PreconditionFailedError } from '../errors.ts';
import { memoryFull, readShortage, storageFull } from '../gate/full.ts';
import type { RedisReply } from '../redis/driver.ts';

export const CREATED = 1;
export const CONDITION_FAILED = 3;
export const MEMORY_FULL = 5;
export const REPLAY_OF_CREATION = 6;
export const LEASE_LOST = 7;
export const STORAGE_FULL = 8;
export const BLOB_GONE = 9;

/** Of one that was stored, now or by the same operation before. */
export const wasCreated = (outcome: RedisReply | undefined): boolean =>
  outcome === CREATED || outcome === REPLAY_OF_CREATION;

export const conditionFailed = (): AppError =>
  new PreconditionFailedError('What is stored is not as the condition demands; read it again');

/** @param found the shortage, behind its outcome. */
export const noMemory = (found: Parameters<typeof readShortage>[0]): AppError =>
  memoryFull(readShortage(found), 'delete entries, or ask for a larger quota');

/** @param found as of {@link noMemory}. */
export const noStorage = (found: Parameters<typeof readShortage>[0]): AppError =>
  storageFull(readShortage(found), 'delete large entries, or ask for a larger quota');
