/** The session memory as text: field `b` of a gate, and the fields of the pool. Scripts write both; golden samples of each. */

/** What a tenant's gate holds its hot sessions to. */
export interface SessionShare {
  readonly shareBytes: number;
  /** When it was granted; only a newer one replaces it. */
  readonly epoch: number;
}

/** What the pool has granted a tenant: at least its share. */
export interface SessionGrant {
  readonly grantedBytes: number;
  readonly epoch: number;
}

/** The field of the pool that sums up the others; no tenant's id. */
export const POOL_TOTAL = 'total';

/** `b1,<bytes>,<epoch>`; null: the tenant has had no share. @throws {RangeError} not written by set-session-share. */
export function unpackShare(text: string | null): SessionShare {
  if (text === null) return { shareBytes: 0, epoch: 0 };
  const [, bytes, epoch] = /^b1,(\d+),(\d+)$/.exec(text) ?? [];
  if (bytes === undefined) throw new RangeError('Not a share of the session memory');
  return { shareBytes: Number(bytes), epoch: Number(epoch) };
}

/** `<bytes>,<epoch>`; null: nothing was granted. @throws {RangeError} not written by grant-session-memory. */
export function unpackGrant(text: string | null): SessionGrant {
  if (text === null) return { grantedBytes: 0, epoch: 0 };
  const [, bytes, epoch] = /^(\d+),(\d+)$/.exec(text) ?? [];
  if (bytes === undefined) throw new RangeError('Not a grant of the session memory');
  return { grantedBytes: Number(bytes), epoch: Number(epoch) };
}
