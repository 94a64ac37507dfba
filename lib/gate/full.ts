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
  /** The limit is no quota: it is the tenant's share of the memory that all tenants have together. */
  readonly shared?: boolean;
}

/** How often room was made for this call before, and others took it. */
export type RepeatedShortage = Shortage & { readonly round?: number };

/** What a script answers behind its outcome "memory is full". */
export const readShortage = ([, used, held, needed, limit, shared]: readonly RedisReply[]): Shortage => ({
  used: Number(used),
  held: Number(held),
  needed: Number(needed),
  limit: Number(limit),
  ...(shared === 1 ? { shared: true } : {}),
});

/** @param advice what to do about it. */
export const memoryFull = ({ shared = false, ...shortage }: Shortage, advice: string): StorageFullError => {
  const what = shared ? "The tenant's share of the deployment's memory" : "The tenant's memory";
  return new StorageFullError('memory_full', `${what} is full: ${advice}`, {
    details: { resource: 'memory_bytes', ...shortage },
  });
};

/** As `memoryFull`. */
export const storageFull = (shortage: Shortage, advice: string): StorageFullError =>
  new StorageFullError('storage_full', `The tenant's storage is full: ${advice}`, {
    details: { resource: 'storage_bytes', ...shortage },
  });
