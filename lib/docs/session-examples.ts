/** What calls of the session endpoints and their answers may look like. */

const WRITTEN_AT = '2026-07-01T09:30:00.000Z';
const EXPIRES_AT = '2026-07-01T10:00:00.000Z';
const ID = 'session-01k0xwc4s8m2q6v0r3n7d1k5bf-7hq2m9x4c1v8n3k6t0b5r2w9ze';
const NEXT_ID = 'session-01k0xwc4s8m2q6v0r3n7d1k5bf-q4z8c2h7m1x9v5n3k0t6b2r8we';

const SESSION = {
  id: ID,
  user_id: 'ada',
  version: 1,
  created_at: WRITTEN_AT,
  last_accessed_at: WRITTEN_AT,
  expires_at: EXPIRES_AT,
  absolute_expires_at: '2026-07-31T09:30:00.000Z',
  ttl_seconds: 1_800,
  metadata: { client_ip: '203.0.113.7', user_agent: 'Mozilla/5.0', source: 'web', attributes: { device: 'phone' } },
};
const DATA = { cart: [{ article: 'lamp', pieces: 2 }], theme: 'dark' };
const CHANGED = { version: 2, expires_at: EXPIRES_AT };
const VERSION = { 'if-match': '"1"' };

export const SESSION_EXAMPLES = {
  createSession: {
    body: { user_id: SESSION.user_id, metadata: SESSION.metadata, ttl_seconds: SESSION.ttl_seconds, data: DATA },
    reply: { ...SESSION, data: DATA },
  },
  getSession: { params: { id: ID }, headers: { 'if-none-match': '"2"' }, reply: { ...SESSION, data: DATA } },
  deleteSession: { params: { id: ID }, query: { dry_run: 'true' }, reply: { would_terminate: 1 } },
  listSessions: {
    query: { user_id: SESSION.user_id, limit: '10' },
    reply: { items: [{ ...SESSION, data_bytes: 52, tier: 'hot' }], next_cursor: null },
  },
  deleteSessions: { query: { user_id: SESSION.user_id, except: ID }, reply: { terminated: 3, more: false } },
  updateSessionData: {
    params: { id: ID },
    headers: VERSION,
    body: { set: { theme: 'light', seen: 12 }, remove: ['cart'] },
    reply: CHANGED,
  },
  putSessionData: { params: { id: ID, key: 'cart' }, headers: VERSION, body: DATA.cart, reply: CHANGED },
  deleteSessionData: { params: { id: ID, key: 'cart' }, headers: VERSION, reply: CHANGED },
  touchSession: {
    params: { id: ID },
    body: { ttl_seconds: SESSION.ttl_seconds },
    reply: { version: 1, expires_at: EXPIRES_AT, last_accessed_at: WRITTEN_AT },
  },
  rotateSession: {
    params: { id: ID },
    headers: VERSION,
    body: { user_id: SESSION.user_id },
    reply: { ...SESSION, id: NEXT_ID, version: 2 },
  },
};
