/** The refusal of a quota that only removing makes room in: told alike whatever the call was. Pure. */
import { StorageFullError } from '../errors.ts';
import type { RedisReply } from '../redis/driver.ts';

/** In bytes. */
export interface Shortage {
  /** Stored now. */
  readonly used: number;
  /** Reserved by calls that have not settled. */
  readonly held: number;
  /** What the refused call would add: `used + held + needed` is above `limit`. */
  readonly needed: number;
  readonly limit: number;
}

/** What a script answers behind its outcome "memory is full". */
export const readShortage = ([, used, held, needed, limit]: readonly RedisReply[]): Shortage => ({
  used: Number(used),
  held: Number(held),
  needed: Number(needed),
  limit: Number(limit),
});

/** @param advice what to do about it. */
export const memoryFull = (shortage: Shortage, advice: string): StorageFullError =>
  new StorageFullError('memory_full', `The tenant's memory is full: ${advice}`, {
    details: { resource: 'memory_bytes', ...shortage },
  });

/** As `memoryFull`. */
export const storageFull = (shortage: Shortage, advice: string): StorageFullError =>
  new StorageFullError('storage_full', `The tenant's storage is full: ${advice}`, {
    details: { resource: 'storage_bytes', ...shortage },
  });
