/** What calls of the session endpoints and their answers may look like. */
import type { ContractName } from '../http/contracts.ts';
import { type Example, TENANT, WRITTEN_AT } from './example.ts';

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
  prefetchSessions: {
    body: { ids: [ID, NEXT_ID] },
    reply: {
      items: [
        { id: ID, status: 'restored' },
        { id: NEXT_ID, status: 'not_found' },
      ],
    },
  },
  getSpillover: {
    query: { tenant_id: TENANT },
    reply: {
      tenant_id: TENANT,
      as_of: WRITTEN_AT,
      total_spilled: 12_400,
      total_restored: 3_100,
      spill_operations: 1_240,
      restore_operations: 3_100,
      avg_spill_time_ms: 41.207,
      avg_restore_time_ms: 9.85,
      budget: {
        max_memory_bytes: 104_857_600,
        threshold_ratio: 0.8,
        hot_bytes: 61_341_696,
        granted_bytes: 67_108_864,
        ratio: 0.585,
      },
      sessions: 22_900,
      spilled_sessions: 9_300,
      spilled_bytes: 14_221_000,
      quarantined: {
        count: 1,
        latest: [{ tenant_id: TENANT, session_id: 'session-01k0xwc4s8m2q6v0r3n7d1k5bf', at: WRITTEN_AT }],
      },
    },
  },
  runSpillover: {
    query: { dry_run: 'true' },
    reply: {
      dry_run: true,
      busy: false,
      finished: true,
      store_failed: false,
      tenants: 12,
      unreadable_tenants: 0,
      failed_tenants: 0,
      budget_bytes: 104_857_600,
      threshold_bytes: 83_886_080,
      hot_bytes_before: 91_226_112,
      hot_bytes: 83_884_012,
      spilled: 1_610,
      freed_bytes: 7_342_100,
      passed_over: 0,
      lowered_shares: 0,
      restored: 0,
    },
  },
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
} satisfies Partial<Record<ContractName, Example>>;
