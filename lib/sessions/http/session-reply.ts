/** Sessions as they are sent. Their data is put in as it stands: through JSON.stringify its numbers would be others. */
import { objectText } from '../../http/json-texts.ts';
import { MAX_REPLY_BYTES } from '../../http/reply.ts';
import type { Result } from '../../http/result.ts';
import { isoOf } from '../../iso-time.ts';
import type { Session, SessionChange, SessionInfo } from '../session.ts';
import type { SessionPage } from '../session-list.ts';
import type { ListedSession, ListSessionsResponse } from './list-contract.ts';
import type { RotateSessionResponse } from './renew-contract.ts';

export const etagOf = ({ version }: Pick<SessionChange, 'version'>): string => `"${version}"`;
export const locationOf = ({ id }: Pick<SessionInfo, 'id'>): string => `/sessions/${id}`;

export const toFields = (session: Omit<SessionInfo, 'tier'>): RotateSessionResponse => ({
  id: session.id,
  user_id: session.userId,
  version: session.version,
  created_at: isoOf(session.createdAtMs),
  last_accessed_at: isoOf(session.lastAccessedAtMs),
  expires_at: isoOf(session.expiresAtMs),
  absolute_expires_at: isoOf(session.absoluteEndMs),
  ttl_seconds: session.ttlMs / 1_000,
  metadata: session.metadata,
});

/** The session with its data, as JSON; by the names of the keys, so that a version is told alike each time. */
export function toBody(session: Session): Buffer {
  const fields = JSON.stringify(toFields(session));
  return Buffer.from(`${fields.slice(0, -1)},"data":${objectText([...session.data].sort(byName))}}`);
}

const byName = ([a]: readonly [string, string], [b]: readonly [string, string]) => (a < b ? -1 : 1);

/** Of a change of data. */
export const toChangeReply = (change: SessionChange): Result => ({
  status: 200,
  headers: { etag: etagOf(change) },
  data: { version: change.version, expires_at: isoOf(change.expiresAtMs) },
});

const toListed = (session: SessionInfo): ListedSession => ({
  ...toFields(session),
  data_bytes: session.dataBytes,
  tier: session.tier,
});

/** Room for what stands around the items. */
const AROUND_BYTES = 1_024;

/** A page that fits into one reply: what does not is left to the next. */
export function toPage({ items, nextCursor }: SessionPage, maxBytes = MAX_REPLY_BYTES): ListSessionsResponse {
  const listed: ListedSession[] = [];
  let left = maxBytes - AROUND_BYTES;
  for (const item of items) {
    const fields = toListed(item);
    left -= Buffer.byteLength(JSON.stringify(fields)) + 1;
    const last = listed.at(-1);
    if (left < 0 && last !== undefined) return { items: listed, next_cursor: ulidOf(last.id) };
    listed.push(fields);
  }
  return { items: listed, next_cursor: nextCursor };
}

const ulidOf = (id: string): string => id.split('-')[1] as string;
