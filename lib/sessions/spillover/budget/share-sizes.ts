/** How large shares of the session memory are. Pure; all in bytes. */

const MIN_CHUNK_BYTES = 65_536;
const MAX_CHUNK_BYTES = 4 * 1024 * 1024;
/** Of the memory of all tenants, a chunk is so much. */
const CHUNKS = 256;
/** A share is left so much above what is used. */
const SLACK = 1.25;
/** And this much at least, also when memory is short: a small session more does not ask for it again. */
const MIN_SLACK_BYTES = 4096;
/** Of the memory, granted. */
const TIGHT = 0.75;

/** The most a tenant is granted beyond what it needs, so that not every session asks the pool. */
export const chunkBytes = (maxMemoryBytes: number): number =>
  Math.min(MAX_CHUNK_BYTES, Math.max(MIN_CHUNK_BYTES, Math.floor(maxMemoryBytes / CHUNKS)));

/** What it asks for beyond that: half as much again at most, so that many tenants with little fit beside each other. */
export const aheadBytes = (neededBytes: number, chunk: number): number => Math.min(chunk, Math.ceil(neededBytes / 2));

/** Whether so much is granted to all tenants together that none is to keep what it does not use. */
export const isTight = (grantedBytes: number, maxMemoryBytes: number): boolean => grantedBytes > maxMemoryBytes * TIGHT;

/** The share a tenant keeps that uses little of its own. @param options.tight as `isTight` says. */
export const idleShareBytes = (
  hotBytes: number,
  { chunk, tight }: { readonly chunk: number; readonly tight: boolean },
): number => Math.max(Math.ceil(hotBytes * SLACK), hotBytes + (tight ? MIN_SLACK_BYTES : chunk));

/**
 * To what a tenant's sessions are brought down before its share is lowered to `targetBytes`: with some room below it, so that a
 * write meanwhile does not ask for the old share again.
 */
export const roomyBytes = (targetBytes: number, chunk: number): number =>
  targetBytes - Math.min(chunk, Math.floor(targetBytes / 8));
