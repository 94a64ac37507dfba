/** What a call and its answer may look like, by the contract's name. A test parses each with the schema it shows. */
import type { ContractName } from '../http/contracts.ts';
import { adjustmentExample, billingExample, usageExample } from './billing-examples.ts';
import { SESSION_EXAMPLES } from './session-examples.ts';

export interface Example {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly reply?: unknown;
}

const TENANT = 'tenant-01k0xw6h9te3m8q5v2r7c4n1ba';
const KEY = 'key-01k0xw7qv3d5n8s2k6h9p4t1mc';
const ENTRY = { namespace: 'pages', key: 'en/home' };
const ETAG = '"kJ3xR0m2Zb8"';
const WRITTEN_AT = '2026-07-01T09:30:00.000Z';
const EXPIRES_AT = '2026-07-01T10:30:00.000Z';
const QUOTAS = {
  memory_bytes: 104_857_600,
  storage_bytes: 1_073_741_824,
  operations_per_minute: 1_000,
  data_transfer_bytes: 10_737_418_240,
};
const CACHE_SETTINGS = {
  eviction_policy: 'lru',
  namespaces: { pages: { compression: 'zstd', default_ttl_seconds: 600, grace_seconds: 60 } },
};
const SESSION_SETTINGS = { timeout_seconds: 900, max_lifetime_seconds: 86_400, max_hot_bytes: 10_485_760 };
const HOLD = 'hold-01k0xwb2r6t4v8n1q5s7k3m9pd';
const STORAGE = { ...quotaExample(QUOTAS.storage_bytes, 0), held: 5_000_000, left: QUOTAS.storage_bytes - 5_000_000 };
const OWNER = { id: 'user-42', name: 'Ada Lovelace', email: 'ada@example.com', organization: 'Analytical Engines' };

const AUDIT_HASH = '5f1c0e7b94a2d83366c0b1f7e9d4a85230bb6a17c4e8f92d0a3b5c7e1f694d28';

const NEXT_KEY = 'key-01k0xw8zr1b6f9q4t7j2m5x3nd';
const POLICIES = {
  default: 'allow',
  statements: [{ effect: 'deny', actions: ['cache:write'], resources: ['cache/frozen/*'] }],
};
const ASKED = {
  id: 'qreq-01k0xw9bk2c7g3r8v5h1n4y6pe',
  quotas: { memory_bytes: 209_715_200 },
  reason: 'A second site is moving in',
  status: 'open',
  created_at: WRITTEN_AT,
};

const JOB = {
  id: 'job-01k0xwap5n3t7v1q9s4k8m2r6d',
  kind: 'warm-cache',
  tenant_id: TENANT,
  status: 'running',
  progress: { done: 1_200, total: 5_000, unit: 'entries' },
  attempts: 1,
  created_at: WRITTEN_AT,
  started_at: WRITTEN_AT,
  updated_at: '2026-07-01T09:30:12.000Z',
};

const CACHE_RATES = {
  hits: 9_500,
  misses: 500,
  hit_rate: 0.95,
  miss_rate: 0.05,
  avg_access_time_us: 640,
  ops_per_second: 120,
};

const EXAMPLES: Readonly<Record<ContractName, Example>> = {
  invalidateCache: {
    body: { tenant_id: TENANT, namespace: 'pages', prefix: 'en/' },
    reply: { invalidated: 118, exact: true },
  },
  invalidateOwnCache: {
    body: { tags: ['landing', 'campaign-7'] },
    reply: {
      invalidated: null,
      exact: true,
      items: [
        { tag: 'landing', invalidated: 12 },
        { tag: 'campaign-7', invalidated: 30 },
      ],
    },
  },
  exportCache: { body: { tenant_id: TENANT, namespace: 'pages', prefix: 'en/' }, reply: { job_id: JOB.id } },
  getCacheStats: {
    query: { tenant_id: TENANT, interval: 'minute' },
    reply: {
      tenant_id: TENANT,
      as_of: '2026-07-01T09:30:40.000Z',
      total_keys: 48_211,
      memory_usage_bytes: 61_004_288,
      storage_bytes: 12_582_912,
      window: { from: '2026-07-01T09:29:00.000Z', to: '2026-07-01T09:30:40.000Z' },
      ...CACHE_RATES,
      avg_compression_ratio: 2.4,
      raw_bytes: 120_000_000,
      packed_bytes: 50_000_000,
      saved_bytes: 70_000_000,
      pending_invalidations: 1,
      series: {
        interval: 'minute',
        from: '2026-07-01T09:29:00.000Z',
        to: '2026-07-01T09:30:00.000Z',
        items: [
          {
            timestamp: '2026-07-01T09:29:00.000Z',
            ...CACHE_RATES,
            total_keys: 48_190,
            memory_usage_bytes: 60_980_224,
          },
        ],
      },
    },
  },
  warmCache: {
    body: {
      tenant_id: TENANT,
      entries: [
        { namespace: 'pages', key: 'en/home', value: 'Welcome', content_type: 'text/plain', ttl_seconds: 3_600 },
        { namespace: 'pages', key: 'logo', value_base64: 'iVBORw0KGgo=', content_type: 'image/png' },
      ],
    },
    reply: {
      dry_run: false,
      counts: { skipped_exists: 1, stored: 1 },
      items: [
        { status: 'stored', namespace: 'pages', key: 'en/home' },
        { status: 'skipped_exists', namespace: 'pages', key: 'logo' },
      ],
    },
  },
  getJob: { params: { id: JOB.id }, reply: JOB },
  getOwnJob: { params: { id: JOB.id }, reply: JOB },
  listJobs: { query: { limit: '10', status: 'running' }, reply: { items: [JOB], next_cursor: null } },
  cancelJob: {
    params: { id: JOB.id },
    reply: { ...JOB, status: 'cancelled', ended_at: '2026-07-01T09:30:12.000Z' },
  },
  createTenant: {
    body: { name: 'Acme', owner: OWNER, plan: 'starter', quotas: { operations_per_minute: 1_000 } },
    reply: tenantExample(),
  },
  getTenant: { params: { id: TENANT }, reply: tenantExample() },
  listTenants: {
    query: { limit: '10', plan: 'starter', text: 'acme' },
    reply: { items: [tenantExample()], next_cursor: null },
  },
  updateTenant: {
    params: { id: TENANT },
    headers: { 'if-match': '"1"' },
    body: {
      plan: 'professional',
      quotas: { operations_per_minute: 5_000 },
      cache: CACHE_SETTINGS,
      sessions: SESSION_SETTINGS,
      alert_webhook_url: null,
    },
    reply: {
      ...tenantExample(),
      plan: 'professional',
      quotas: { ...QUOTAS, operations_per_minute: 5_000 },
      cache: CACHE_SETTINGS,
      sessions: SESSION_SETTINGS,
    },
  },
  deleteTenant: {
    params: { id: TENANT },
    query: { dry_run: 'true' },
    reply: {
      id: TENANT,
      status: 'deleted',
      deleted_at: WRITTEN_AT,
      erase_at: '2026-07-08T09:30:00.000Z',
      dry_run: true,
      erases: { entries: 31, memory_bytes: 124_488, storage_bytes: 0, api_keys: 2 },
    },
  },
  rotateDataKey: { params: { id: TENANT }, reply: tenantExample() },
  getErasure: {
    params: { id: TENANT },
    reply: {
      tenant_id: TENANT,
      state: 'scheduled',
      deleted_at: '2026-11-22T03:56:00.000Z',
      erase_at: '2026-11-29T03:56:00.000Z',
    },
  },
  suspendTenant: { params: { id: TENANT }, reply: { ...tenantExample(), status: 'suspended' } },
  resumeTenant: { params: { id: TENANT }, reply: tenantExample() },
  undeleteTenant: { params: { id: TENANT }, reply: tenantExample() },
  listAudit: {
    query: { limit: '1', tenant_id: TENANT },
    reply: {
      items: [
        {
          seq: 1,
          id: '01k0xw6h9te3m8q5v2r7c4n1bc',
          at: WRITTEN_AT,
          action: 'tenant.create',
          tenant_id: TENANT,
          actor: 'admin:9b74c9897bac',
          request_id: 'JKJaXmPLvHcESHA=',
          details: { plan: 'starter' },
          prev: '0'.repeat(64),
          hash: AUDIT_HASH,
        },
      ],
      next_cursor: null,
      head: { seq: 1, hash: AUDIT_HASH },
    },
  },
  createKey: {
    params: { id: TENANT },
    body: { scopes: ['cache:read', 'cache:write'], expires_at: '2099-01-01T00:00:00Z', name: 'web' },
    reply: {
      id: KEY,
      key: `rt_${TENANT}_${KEY}_${'x'.repeat(43)}`,
      scopes: ['cache:read', 'cache:write'],
      expires_at: '2099-01-01T00:00:00.000Z',
    },
  },
  listKeys: {
    params: { id: TENANT },
    query: { limit: '10' },
    reply: {
      items: [keyExample()],
      next_cursor: null,
    },
  },
  rotateKey: {
    params: { id: TENANT, key_id: KEY },
    body: { overlap_seconds: 3_600 },
    reply: {
      id: NEXT_KEY,
      key: `rt_${TENANT}_${NEXT_KEY}_${'x'.repeat(43)}`,
      scopes: ['cache:read', 'cache:write'],
      expires_at: '2099-01-01T00:00:00.000Z',
    },
  },
  revokeKey: { params: { id: TENANT, key_id: KEY }, query: { dry_run: 'true' }, reply: keyExample() },
  checkAccess: {
    params: { id: TENANT },
    query: { action: 'cache:write', resource: 'cache/orders/42' },
    reply: { allowed: false, statement: 0 },
  },
  getPolicies: { params: { id: TENANT }, reply: POLICIES },
  putPolicies: { params: { id: TENANT }, headers: { 'if-match': '"1"' }, body: POLICIES, reply: POLICIES },
  createQuotaRequest: {
    params: { id: TENANT },
    body: { quotas: ASKED.quotas, reason: ASKED.reason },
    reply: ASKED,
  },
  listQuotaRequests: {
    params: { id: TENANT },
    query: { status: 'open' },
    reply: { items: [ASKED], next_cursor: null },
  },
  approveQuotaRequest: {
    params: { id: TENANT, request_id: ASKED.id },
    reply: { ...ASKED, status: 'approved', decided_at: EXPIRES_AT },
  },
  rejectQuotaRequest: {
    params: { id: TENANT, request_id: ASKED.id },
    body: { reason: 'Ask again next month' },
    reply: { ...ASKED, status: 'rejected', decided_at: EXPIRES_AT, decision_reason: 'Ask again next month' },
  },
  listAlerts: {
    params: { id: TENANT },
    reply: {
      webhook: {
        url: 'https://hooks.example.com/riptide',
        source: 'tenant',
        signing_secret: `whsec_${'c2Vj'.repeat(11)}`,
        problem: null,
      },
      items: [
        {
          id: 'al-01k0xw9t3v5n7q1s4k8h2p6mcd',
          created_at: WRITTEN_AT,
          resource: 'memory_bytes',
          period: '2026-07',
          threshold_percent: 80,
          used: 84_204_331,
          limit: 104_857_600,
          refused: false,
          status: 'delivered',
          next_attempt_at: null,
          deliveries: [{ at: WRITTEN_AT, status: 204, error: null, duration_ms: 38 }],
        },
      ],
      next_cursor: null,
    },
  },
  sendTestAlert: {
    params: { id: TENANT },
    reply: {
      message_id: 'test-01k0xwa4m8q2s6v0r3n7c1k5be',
      url: 'https://hooks.example.com/riptide',
      delivered: false,
      delivery: { at: WRITTEN_AT, status: null, error: 'timeout', duration_ms: 5_000 },
    },
  },
  getTenantUsage: { params: { id: TENANT }, query: { step: 'hour' }, reply: usageExample(TENANT, QUOTAS) },
  getTenantBilling: { params: { id: TENANT }, query: { period: '2026-08' }, reply: billingExample(TENANT) },
  createAdjustment: {
    params: { id: TENANT },
    body: { amount_micros: -5_000_000, reason: 'Credit for the outage of 12 August' },
    reply: adjustmentExample(TENANT),
  },
  putEntry: {
    params: ENTRY,
    query: { ttl_seconds: '3600' },
    headers: { 'content-type': 'application/json', 'riptide-tags': 'home, en' },
    body: { title: 'Welcome' },
    reply: {
      etag: ETAG,
      created: true,
      expires_at: EXPIRES_AT,
      fresh_until: null,
      updated_at: WRITTEN_AT,
      size_bytes: 19,
      stored_bytes: 124,
    },
  },
  getEntry: { params: ENTRY, headers: { 'if-none-match': ETAG } },
  headEntry: { params: ENTRY },
  deleteEntry: { params: ENTRY },
  batchEntries: {
    params: { namespace: 'pages' },
    body: { set: [{ key: 'en/home', value: 'Welcome', ttl_seconds: 3_600, tags: ['home'] }] },
    reply: {
      items: [
        { key: 'en/home', status: 'created', etag: ETAG, size_bytes: 7, expires_at: EXPIRES_AT, fresh_until: null },
      ],
    },
  },
  listEntries: {
    params: { namespace: 'pages' },
    query: { prefix: 'en/', limit: '10' },
    reply: {
      items: [
        {
          key: 'en/home',
          etag: ETAG,
          size_bytes: 19,
          content_type: 'application/json',
          tags: ['home', 'en'],
          expires_at: EXPIRES_AT,
          fresh_until: null,
          updated_at: WRITTEN_AT,
        },
      ],
      next_cursor: null,
    },
  },
  incrementEntry: {
    params: { namespace: 'counters', key: 'visits' },
    query: { increment: '1', ttl_seconds: '3600' },
    reply: { value: 42, created: false, etag: ETAG, expires_at: EXPIRES_AT, fresh_until: null },
  },
  touchEntry: {
    params: ENTRY,
    query: { ttl_seconds: '3600' },
    reply: { etag: ETAG, expires_at: EXPIRES_AT, fresh_until: null },
  },
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
  ...SESSION_EXAMPLES,
  checkLive: { reply: { status: 'live' } },
  checkReady: { reply: { status: 'ready', components: { redis: 'up', s3: 'up' } } },
  getOpenapi: {},
  showDocs: {},
};

/** @returns empty for a contract that has none. */
export const exampleOf = (name: string): Example => (EXAMPLES as Readonly<Record<string, Example>>)[name] ?? {};

function quotaExample(limit: number, used: number) {
  return { used, held: 0, limit, left: limit - used, resets_at: null, resets_in_ms: null };
}

function keyExample() {
  return {
    id: KEY,
    name: 'web',
    scopes: ['cache:read', 'cache:write'],
    state: 'active',
    created_at: WRITTEN_AT,
    expires_at: '2099-01-01T00:00:00.000Z',
    last_used_at: EXPIRES_AT,
  };
}

function tenantExample() {
  return {
    id: TENANT,
    name: 'Acme',
    owner: OWNER,
    plan: 'starter',
    isolation_level: 'strong',
    encryption: false,
    quotas: QUOTAS,
    settings: {},
    status: 'active',
    created_at: WRITTEN_AT,
    updated_at: WRITTEN_AT,
  };
}
