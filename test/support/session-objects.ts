/** Sessions to be written as objects. */
import { newTenantId, newUlid } from '../../lib/ids.ts';
import {
  type EncodedSession,
  encodeSessionObject,
  MAX_SESSION_RAW_BYTES,
  type SessionFields,
  type SessionIdentity,
} from '../../lib/sessions/spillover/session-object.ts';

/** A session nobody else has. */
export const newSession = (more: Partial<SessionIdentity> = {}): SessionIdentity => ({
  tenantId: newTenantId(newUlid(Date.now())),
  sessionUlid: newUlid(Date.now()),
  version: 3,
  seq: 17,
  ...more,
});

/** Its object, and what a stub would say of it. */
export async function sessionObject(session: SessionIdentity, fields: SessionFields) {
  const encoded = await encodeSessionObject({ ...session, fields });
  return { encoded, expected: expectedOf(session, encoded) };
}

/** What is expected of an object, with other bytes too. */
export function expectedOf(session: SessionIdentity, { bytes, rawBytes, sha256 }: Omit<EncodedSession, 'sessionUlid'>) {
  return { ...session, bytes: bytes.length, rawBytes, sha256, maxRawBytes: MAX_SESSION_RAW_BYTES };
}
