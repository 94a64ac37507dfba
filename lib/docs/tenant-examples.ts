/** What calls of an operator about tenants and their answers may look like. */
import type { ContractName } from '../http/contracts.ts';
import { adjustmentExample, billingExample, usageExample } from './billing-examples.ts';
import { EXPIRES_AT, type Example, KEY, QUOTAS, TENANT, WRITTEN_AT } from './example.ts';

const NEXT_KEY = 'key-01k0xw8zr1b6f9q4t7j2m5x3nd';
const CACHE_SETTINGS = {
  eviction_policy: 'lru',
  namespaces: { pages: { compression: 'zstd', default_ttl_seconds: 600, grace_seconds: 60 } },
};
const SESSION_SETTINGS = { timeout_seconds: 900, max_lifetime_seconds: 86_400, max_hot_bytes: 10_485_760 };
const OWNER = { id: 'user-42', name: 'Ada Lovelace', email: 'ada@example.com', organization: 'Analytical Engines' };
const AUDIT_HASH = '5f1c0e7b94a2d83366c0b1f7e9d4a85230bb6a17c4e8f92d0a3b5c7e1f694d28';
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

export const TENANT_EXAMPLES = {
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
} satisfies Partial<Record<ContractName, Example>>;

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
