/** What stands in Redis under a member of the index, as a line of a checkpoint. Pure. */
import { parseHead } from '../../cache/entry-format.ts';
import { AppError } from '../../errors.ts';
import { pairsOf } from '../../redis/reply-shape.ts';
import { parseHotHead } from '../../sessions/session-format.ts';
import type { CheckpointLine, CheckpointRecord, CheckpointRemoval } from '../format/checkpoint-line.ts';

/** As `read-records` gives it. */
export type StoredRecord = string | readonly string[] | null;

/** Where the expiry of an entry stands, 14 digits: lib/cache/entry-format.ts. */
const EXPIRY = { from: 21, to: 35 } as const;

/**
 * The line of a record; null: there is none any more, or none that could be seen.
 * @param order as `c\0<namespace>\0<key>` or `s\0<user>\0<ULID>`. @param nowMs Unix ms, Redis' time.
 */
export function recordLine(order: string, stored: StoredRecord, nowMs: number): CheckpointRecord | null {
  if (stored === null) return null;
  const [kind, first = '', ...rest] = order.split('\0');
  if (kind === 'c') {
    if (typeof stored !== 'string' || hasExpired(stored, nowMs)) return null;
    return { kind: 'cache', namespace: first, key: rest.join('\0'), stored };
  }
  const hash = typeof stored === 'string' ? null : Object.fromEntries(pairsOf(stored));
  const text = typeof stored === 'string' ? stored : (hash?.h ?? '');
  const line = text.split('\n', 1)[0] as string;
  // One whose user changed is listed under the new one, too.
  if (!isOfUser(line, first) || isOver(line, nowMs)) return null;
  const name = { kind: 'session', user: first, id: rest.join('\0') } as const;
  return hash === null ? { ...name, stub: stored as string } : { ...name, hash };
}

/** The name that a session has by its header, of any it had; null: there is none. */
export function ownName(order: string, stored: StoredRecord): string | null {
  if (stored === null) return null;
  const text = typeof stored === 'string' ? stored : (Object.fromEntries(pairsOf(stored)).h ?? '');
  const line = text.split('\n', 1)[0] as string;
  return `s\0${line.slice(line.lastIndexOf(',') + 1)}\0${order.slice(order.lastIndexOf('\0') + 1)}`;
}

/** The line that says it is gone. */
export function removalLine(order: string): CheckpointRemoval {
  const [kind, first = '', ...rest] = order.split('\0');
  if (kind === 'c') return { kind: 'cache', namespace: first, key: rest.join('\0'), removed: true };
  return { kind: 'session', user: first, id: rest.join('\0'), removed: true };
}

/** Of a changed record: what it is now, or that it is gone. */
export const changedLine = (order: string, stored: StoredRecord, nowMs: number): CheckpointLine =>
  recordLine(order, stored, nowMs) ?? removalLine(order);

function hasExpired(stored: string, nowMs: number): boolean {
  const expires = stored.startsWith('c2,') ? Number(stored.slice(EXPIRY.from, EXPIRY.to)) : olderExpiry(stored);
  return expires > 0 && expires <= nowMs;
}

/** 0: never, or nobody can tell. */
function olderExpiry(stored: string): number {
  try {
    return parseHead(stored).head.expiresAtMs ?? 0;
  } catch (error) {
    if (error instanceof AppError) return 0;
    throw error;
  }
}

const isOfUser = (line: string, user: string): boolean =>
  line.slice(line.lastIndexOf(',') + 1) === user || !line.startsWith('s1,');

/** A header that nobody can read is kept as it is. */
function isOver(line: string, nowMs: number): boolean {
  try {
    return parseHotHead(line).head.expiresAtMs <= nowMs;
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}
