/** How large shares of the session memory are. Pure; all in bytes. */

const MIN_CHUNK_BYTES = 65_536;
const MAX_CHUNK_BYTES = 4 * 1024 * 1024;
/** Of the memory of all tenants, a chunk is so much. */
const CHUNKS = 256;
/** A share is left so much above what is used. */
const SLACK = 1.25;

/** What a tenant is granted beyond what it needs, so that not every session asks the pool. */
export const chunkBytes = (maxMemoryBytes: number): number =>
  Math.min(MAX_CHUNK_BYTES, Math.max(MIN_CHUNK_BYTES, Math.floor(maxMemoryBytes / CHUNKS)));

/** The share a tenant keeps that uses little of its own. */
export const idleShareBytes = (hotBytes: number, chunk: number): number =>
  Math.max(Math.ceil(hotBytes * SLACK), hotBytes + chunk);

/**
 * To what a tenant's sessions are brought down before its share is lowered to `targetBytes`: with some room below it, so that a
 * write meanwhile does not ask for the old share again.
 */
export const roomyBytes = (targetBytes: number, chunk: number): number =>
  targetBytes - Math.min(chunk, Math.floor(targetBytes / 8));
