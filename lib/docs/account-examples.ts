/** What calls of a tenant about its own quotas and limits, and their answers, may look like. */
import type { ContractName } from '../http/contracts.ts';
import { type Example, KEY, QUOTAS, TENANT } from './example.ts';

const HOLD = 'hold-01k0xwb2r6t4v8n1q5s7k3m9pd';
const STORAGE = { ...quotaExample(QUOTAS.storage_bytes, 0), held: 5_000_000, left: QUOTAS.storage_bytes - 5_000_000 };

export const ACCOUNT_EXAMPLES = {
  getQuotas: {
    query: { resource: 'storage_bytes', amount: '5000000' },
    reply: {
      check: { resource: 'storage_bytes', amount: 5_000_000, allowed: true },
      quotas: {
        memory_bytes: quotaExample(QUOTAS.memory_bytes, 124_488),
        storage_bytes: STORAGE,
        operations_per_minute: {
          ...quotaExample(QUOTAS.operations_per_minute, 42),
          resets_at: '2026-07-01T09:31:00.000Z',
          resets_in_ms: 60_000,
        },
        data_transfer_bytes: {
          ...quotaExample(QUOTAS.data_transfer_bytes, 622_592),
          resets_at: '2026-08-01T00:00:00.000Z',
          resets_in_ms: 2_644_200_000,
        },
      },
    },
  },
  reserveQuota: {
    body: { resource: 'storage_bytes', amount: 5_000_000, ttl_seconds: 60 },
    reply: {
      id: HOLD,
      resource: 'storage_bytes',
      amount: 5_000_000,
      expires_at: '2026-07-01T09:31:00.000Z',
      ...STORAGE,
    },
  },
  commitReservation: {
    params: { id: HOLD },
    body: { amount: 3_120_000 },
    reply: {
      id: HOLD,
      resource: 'storage_bytes',
      reserved: 5_000_000,
      committed: 3_120_000,
      ...quotaExample(QUOTAS.storage_bytes, 3_120_000),
    },
  },
  refundReservation: {
    params: { id: HOLD },
    reply: {
      id: HOLD,
      resource: 'storage_bytes',
      reserved: 5_000_000,
      committed: 0,
      ...quotaExample(QUOTAS.storage_bytes, 0),
    },
  },
  releaseQuota: {
    body: { resource: 'storage_bytes', amount: 3_120_000 },
    reply: { resource: 'storage_bytes', released: 3_120_000, ...quotaExample(QUOTAS.storage_bytes, 0) },
  },
  checkLimit: {
    params: { name: 'logins' },
    body: { identifier: 'user-42', limit: 5, window_ms: 60_000 },
    reply: {
      allowed: true,
      limit: 5,
      remaining: 4,
      reset_at: '2026-07-01T09:31:00.000Z',
      retry_after_ms: null,
      algorithm: 'fixed_window',
    },
  },
  whoAmI: {
    reply: {
      tenant_id: TENANT,
      key_id: KEY,
      scopes: ['cache:read', 'cache:write'],
      limits: { ...QUOTAS, burst: 100 },
      left: {
        ...QUOTAS,
        memory_bytes: 104_733_112,
        storage_bytes: QUOTAS.storage_bytes - 6_144,
        operations_per_minute: 958,
        burst: 99,
      },
      used: {
        memory_bytes: 124_488,
        entries: 31,
        sessions: 12,
        spilled_sessions: 3,
        session_memory_bytes: 21_504,
        spilled_bytes: 6_144,
        operations: 42,
        bytes_in: 98_304,
        bytes_out: 524_288,
      },
    },
  },
} satisfies Partial<Record<ContractName, Example>>;

/** A quota of which so much is used, and nothing is held. */
function quotaExample(limit: number, used: number) {
  return { used, held: 0, limit, left: limit - used, resets_at: null, resets_in_ms: null };
}
