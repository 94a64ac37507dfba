/** Who is let in where: every route against every kind of key. A route without a row here fails. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Scope } from '../../lib/gate/scope.ts';
import { allContracts, type ContractName } from '../../lib/http/contracts.ts';
import { ADMIN_KEY, newTenant, type TestTenant } from '../support/app.ts';
import { type Door, type DoorRequest, openDoor } from '../support/door.ts';
import { expectCommonHeaders, expectProblem } from '../support/problem.ts';
import { type TenantState, tenantState } from '../support/tenant-state.ts';

const CALLERS = [
  'nobody',
  'malformed key',
  'unknown key',
  'expired key',
  'revoked key',
  "another tenant's key",
  'admin key',
  'tenant key',
  'key without the scope',
  'key of a suspended tenant',
  'key of a deleted tenant',
] as const;
type CallerKind = (typeof CALLERS)[number];

/** Status of a success, or status and code of a problem. */
type Cells = Readonly<Record<CallerKind, string>>;

const everyone = (answer: string): Cells =>
  Object.fromEntries(CALLERS.map((caller) => [caller, answer])) as unknown as Cells;

const REFUSED: Cells = {
  nobody: '401 key_missing',
  'malformed key': '401 key_unknown',
  'unknown key': '401 key_unknown',
  'expired key': '401 key_expired',
  'revoked key': '401 key_revoked',
  "another tenant's key": '403 wrong_key_kind',
  'admin key': '403 wrong_key_kind',
  'tenant key': '403 wrong_key_kind',
  'key without the scope': '403 wrong_key_kind',
  'key of a suspended tenant': '403 wrong_key_kind',
  'key of a deleted tenant': '403 wrong_key_kind',
};
const adminOnly = (answer: string): Cells => ({ ...REFUSED, 'admin key': answer });
const tenantOnly = (own: string, others: string, unscoped = '403 scope_missing'): Cells => ({
  ...REFUSED,
  'tenant key': own,
  "another tenant's key": others,
  'key without the scope': unscoped,
  'key of a suspended tenant': '403 tenant_suspended',
  'key of a deleted tenant': '403 tenant_deleted',
});

interface Row {
  readonly request: (tenant: TestTenant) => DoorRequest;
  readonly cells: Cells;
  /** What the key without the scope may do instead. */
  readonly otherScope?: Scope;
}

const json = { 'content-type': 'application/json' };
const ENTRY = '/cache/guarded/entry';
const NO_HOLD = 'hold-01k0xw6h9te3m8q5v2r7c4n1ba';
const NO_SESSION = '/sessions/session-01k0xwc4s8m2q6v0r3n7d1k5bf-7hq2m9x4c1v8n3k6t0b5r2w9ze';
const NO_JOB = 'job-01jd5x9a2b3c4d5e6f7g8h9j0k';
const NO_CHECKPOINT = 'ckpt-01jd5x9a2b3c4d5e6f7g8h9j0k';
const NO_REQUEST = 'qreq-01jd5x9a2b3c4d5e6f7g8h9j0k';
const post =
  (verb: string) =>
  ({ id }: TestTenant['tenant']): DoorRequest => ({ method: 'POST', target: `/admin/tenants/${id}/${verb}` });
const keyIdOf = (key: string) => key.split('_')[2];

const ROWS: Readonly<Record<ContractName, Row>> = {
  invalidateCache: {
    request: ({ tenant: { id } }) => ({
      method: 'POST',
      target: '/admin/cache/invalidate',
      headers: json,
      body: `{"tenant_id":"${id}","tags":["guarded"]}`,
    }),
    cells: adminOnly('200'),
  },
  invalidateOwnCache: {
    request: () => ({ method: 'POST', target: '/invalidate', headers: json, body: '{"tags":["guarded"]}' }),
    cells: tenantOnly('200', '200'),
    otherScope: 'cache:read',
  },
  createTenant: {
    request: () => ({
      method: 'POST',
      target: '/admin/tenants',
      headers: json,
      body: '{"name":"Acme","owner":{"id":"o","name":"Ada","email":"ada@acme.test"},"encryption":false}',
    }),
    cells: adminOnly('201'),
  },
  warmCache: {
    request: ({ tenant: { id } }) => ({
      method: 'POST',
      target: '/admin/cache/warm',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ tenant_id: id, entries: [{ namespace: 'ns', key: 'k', value: 'v' }] }),
    }),
    cells: adminOnly('200'),
  },
  exportCache: {
    request: ({ tenant: { id } }) => ({
      method: 'POST',
      target: '/admin/cache/export',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ tenant_id: id, namespace: 'ns' }),
    }),
    cells: adminOnly('202'),
  },
  getCacheStats: {
    request: ({ tenant: { id } }) => ({ target: `/admin/cache/stats?tenant_id=${id}` }),
    cells: adminOnly('200'),
  },
  reloadState: {
    request: () => ({ method: 'POST', target: '/admin/state/reload?dry_run=true', headers: json, body: '{}' }),
    cells: adminOnly('200'),
  },
  listConfigVersions: { request: () => ({ target: '/admin/config/versions' }), cells: adminOnly('200') },
  getConfigVersion: { request: () => ({ target: '/admin/config/versions/0' }), cells: adminOnly('200') },
  activateConfigVersion: {
    request: () => ({ method: 'POST', target: '/admin/config/versions/9999999/activate' }),
    cells: adminOnly('404 config_version_not_found'),
  },
  updateSpillover: {
    request: () => ({ method: 'POST', target: '/admin/spillover?dry_run=true', headers: json, body: '{}' }),
    cells: adminOnly('200'),
  },
  listJobs: { request: () => ({ target: '/admin/jobs' }), cells: adminOnly('200') },
  getJob: { request: () => ({ target: `/admin/jobs/${NO_JOB}` }), cells: adminOnly('404 job_not_found') },
  cancelJob: {
    request: () => ({ method: 'POST', target: `/admin/jobs/${NO_JOB}/cancel` }),
    cells: adminOnly('404 job_not_found'),
  },
  getOwnJob: {
    request: () => ({ target: `/jobs/${NO_JOB}` }),
    cells: tenantOnly('404 job_not_found', '404 job_not_found', '404 job_not_found'),
  },
  listAudit: { request: () => ({ target: '/admin/audit' }), cells: adminOnly('200') },
  getTenant: { request: ({ tenant }) => ({ target: `/admin/tenants/${tenant.id}` }), cells: adminOnly('200') },
  listTenants: { request: () => ({ target: '/admin/tenants' }), cells: adminOnly('200') },
  updateTenant: {
    request: ({ tenant }) => ({
      method: 'PUT',
      target: `/admin/tenants/${tenant.id}`,
      headers: json,
      body: '{"plan":"starter"}',
    }),
    cells: adminOnly('200'),
  },
  deleteTenant: {
    request: ({ tenant }) => ({ method: 'DELETE', target: `/admin/tenants/${tenant.id}` }),
    cells: adminOnly('200'),
  },
  suspendTenant: { request: ({ tenant }) => post('suspend')(tenant), cells: adminOnly('200') },
  rotateDataKey: {
    request: ({ tenant }) => post('encryption/rotate')(tenant),
    cells: adminOnly('409 encryption_off'),
  },
  getErasure: {
    request: ({ tenant }) => ({ target: `/admin/tenants/${tenant.id}/erasure` }),
    cells: adminOnly('409 tenant_not_deleted'),
  },
  resumeTenant: { request: ({ tenant }) => post('resume')(tenant), cells: adminOnly('200') },
  undeleteTenant: { request: ({ tenant }) => post('undelete')(tenant), cells: adminOnly('409 tenant_not_deleted') },
  createKey: {
    request: ({ tenant }) => ({
      method: 'POST',
      target: `/admin/tenants/${tenant.id}/keys`,
      headers: json,
      body: '{}',
    }),
    cells: adminOnly('201'),
  },
  listAlerts: { request: ({ tenant }) => ({ target: `/admin/tenants/${tenant.id}/alerts` }), cells: adminOnly('200') },
  sendTestAlert: { request: ({ tenant }) => post('alerts/test')(tenant), cells: adminOnly('409 webhook_not_set') },
  listKeys: { request: ({ tenant }) => ({ target: `/admin/tenants/${tenant.id}/keys` }), cells: adminOnly('200') },
  rotateKey: {
    request: ({ tenant, key }) => ({ ...post(`keys/${keyIdOf(key)}/rotate`)(tenant), headers: json, body: '{}' }),
    cells: adminOnly('201'),
  },
  revokeKey: {
    request: ({ tenant, key }) => ({ ...post(`keys/${keyIdOf(key)}`)(tenant), method: 'DELETE' }),
    cells: adminOnly('204'),
  },
  checkAccess: {
    request: ({ tenant }) => ({
      target: `/admin/tenants/${tenant.id}/access?action=cache:read&resource=cache/ns/k`,
    }),
    cells: adminOnly('200'),
  },
  getPolicies: {
    request: ({ tenant }) => ({ target: `/admin/tenants/${tenant.id}/policies` }),
    cells: adminOnly('200'),
  },
  putPolicies: {
    request: ({ tenant }) => ({
      ...post('policies')(tenant),
      method: 'PUT',
      headers: json,
      body: '{"statements":[]}',
    }),
    cells: adminOnly('200'),
  },
  createQuotaRequest: {
    request: ({ tenant }) => ({
      ...post('quota-requests')(tenant),
      headers: json,
      body: '{"quotas":{"operations_per_minute":2000000},"reason":"more"}',
    }),
    cells: adminOnly('201'),
  },
  listQuotaRequests: {
    request: ({ tenant }) => ({ target: `/admin/tenants/${tenant.id}/quota-requests` }),
    cells: adminOnly('200'),
  },
  approveQuotaRequest: {
    request: ({ tenant }) => post(`quota-requests/${NO_REQUEST}/approve`)(tenant),
    cells: adminOnly('404 quota_request_not_found'),
  },
  rejectQuotaRequest: {
    request: ({ tenant }) => ({ ...post(`quota-requests/${NO_REQUEST}/reject`)(tenant), headers: json, body: '{}' }),
    cells: adminOnly('404 quota_request_not_found'),
  },
  getTenantUsage: {
    request: ({ tenant }) => ({ target: `/admin/tenants/${tenant.id}/usage?step=minute` }),
    cells: adminOnly('200'),
  },
  getTenantBilling: {
    request: ({ tenant }) => ({ target: `/admin/tenants/${tenant.id}/billing` }),
    cells: adminOnly('200'),
  },
  createAdjustment: {
    request: ({ tenant }) => ({
      method: 'POST',
      target: `/admin/tenants/${tenant.id}/billing/adjustments`,
      headers: json,
      body: '{"amount_micros":-1,"reason":"A test"}',
    }),
    cells: adminOnly('201'),
  },
  getEntry: {
    request: () => ({ target: ENTRY }),
    cells: tenantOnly('200', '404 entry_not_found'),
    otherScope: 'cache:write',
  },
  headEntry: {
    request: () => ({ method: 'HEAD', target: ENTRY }),
    cells: tenantOnly('200', '404 entry_not_found'),
    otherScope: 'cache:write',
  },
  putEntry: {
    request: () => ({ method: 'PUT', target: ENTRY, headers: { ...json, 'if-match': '*' }, body: '2' }),
    cells: tenantOnly('200', '412 precondition_failed'),
    otherScope: 'cache:read',
  },
  deleteEntry: {
    request: () => ({ method: 'DELETE', target: ENTRY }),
    cells: tenantOnly('204', '204'),
    otherScope: 'cache:read',
  },
  batchEntries: {
    request: () => ({ method: 'POST', target: '/cache/guarded', headers: json, body: '{"get":["entry"]}' }),
    cells: tenantOnly('200', '200'),
    otherScope: 'cache:write',
  },
  listEntries: {
    request: () => ({ target: '/cache/guarded' }),
    cells: tenantOnly('200', '200'),
    otherScope: 'cache:write',
  },
  incrementEntry: {
    request: () => ({ method: 'POST', target: `${ENTRY}?increment=1` }),
    cells: tenantOnly('200', '200'),
    otherScope: 'cache:read',
  },
  touchEntry: {
    request: () => ({ method: 'PATCH', target: `${ENTRY}?ttl_seconds=60` }),
    cells: tenantOnly('200', '404 entry_not_found'),
    otherScope: 'cache:read',
  },
  getQuotas: {
    request: () => ({ target: '/quotas' }),
    cells: tenantOnly('200', '200'),
    otherScope: 'quotas:write',
  },
  reserveQuota: {
    request: () => ({
      method: 'POST',
      target: '/quotas/reservations',
      headers: json,
      body: '{"resource":"storage_bytes","amount":1}',
    }),
    cells: tenantOnly('201', '201'),
    otherScope: 'quotas:read',
  },
  commitReservation: {
    request: () => ({
      method: 'POST',
      target: `/quotas/reservations/${NO_HOLD}/commit`,
      headers: json,
      body: '{"amount":1}',
    }),
    cells: tenantOnly('404 reservation_not_found', '404 reservation_not_found'),
    otherScope: 'quotas:read',
  },
  refundReservation: {
    request: () => ({ method: 'POST', target: `/quotas/reservations/${NO_HOLD}/refund` }),
    cells: tenantOnly('404 reservation_not_found', '404 reservation_not_found'),
    otherScope: 'quotas:read',
  },
  releaseQuota: {
    request: () => ({
      method: 'POST',
      target: '/quotas/release',
      headers: json,
      body: '{"resource":"memory_bytes","amount":1}',
    }),
    cells: tenantOnly('409 release_too_large', '409 release_too_large'),
    otherScope: 'quotas:read',
  },
  checkLimit: {
    request: () => ({
      method: 'POST',
      target: '/ratelimit/guarded',
      headers: json,
      body: '{"identifier":"user-1","limit":5,"window_ms":60000}',
    }),
    cells: tenantOnly('200', '200'),
  },
  createSession: {
    request: () => ({ method: 'POST', target: '/sessions', headers: json, body: '{}' }),
    cells: tenantOnly('201', '201'),
    otherScope: 'sessions:read',
  },
  getSession: {
    request: () => ({ target: NO_SESSION }),
    cells: tenantOnly('404 session_not_found', '404 session_not_found'),
    otherScope: 'sessions:write',
  },
  deleteSession: {
    request: () => ({ method: 'DELETE', target: NO_SESSION }),
    cells: tenantOnly('404 session_not_found', '404 session_not_found'),
    otherScope: 'sessions:read',
  },
  updateSessionData: {
    request: () => ({ method: 'PATCH', target: `${NO_SESSION}/data`, headers: json, body: '{"set":{"a":1}}' }),
    cells: tenantOnly('404 session_not_found', '404 session_not_found'),
    otherScope: 'sessions:read',
  },
  putSessionData: {
    request: () => ({ method: 'PUT', target: `${NO_SESSION}/data/a`, headers: json, body: '1' }),
    cells: tenantOnly('404 session_not_found', '404 session_not_found'),
    otherScope: 'sessions:read',
  },
  deleteSessionData: {
    request: () => ({ method: 'DELETE', target: `${NO_SESSION}/data/a` }),
    cells: tenantOnly('404 session_not_found', '404 session_not_found'),
    otherScope: 'sessions:read',
  },
  touchSession: {
    request: () => ({ method: 'POST', target: `${NO_SESSION}/touch`, headers: json, body: '{}' }),
    cells: tenantOnly('404 session_not_found', '404 session_not_found'),
    otherScope: 'sessions:read',
  },
  rotateSession: {
    request: () => ({ method: 'POST', target: `${NO_SESSION}/rotate`, headers: json, body: '{}' }),
    cells: tenantOnly('404 session_not_found', '404 session_not_found'),
    otherScope: 'sessions:read',
  },
  prefetchSessions: {
    request: () => ({ method: 'POST', target: '/sessions/prefetch', headers: json, body: '{"user_id":"ada"}' }),
    cells: tenantOnly('200', '200'),
    otherScope: 'sessions:write',
  },
  createCheckpoint: {
    request: () => ({ method: 'POST', target: '/admin/state/checkpoint' }),
    cells: adminOnly('202'),
  },
  listCheckpoints: { request: () => ({ target: '/admin/state/checkpoints' }), cells: adminOnly('200') },
  getCheckpoint: {
    request: () => ({ target: `/admin/state/checkpoints/${NO_CHECKPOINT}` }),
    cells: adminOnly('404 checkpoint_not_found'),
  },
  verifyCheckpoint: {
    request: () => ({ method: 'POST', target: `/admin/state/checkpoints/${NO_CHECKPOINT}/verify` }),
    cells: adminOnly('404 checkpoint_not_found'),
  },
  restoreCheckpoint: {
    request: () => ({ method: 'POST', target: `/admin/state/restore/${NO_CHECKPOINT}?dry_run=true` }),
    cells: adminOnly('404 checkpoint_not_found'),
  },
  getSpillover: {
    request: ({ tenant }) => ({ target: `/admin/spillover?tenant_id=${tenant.id}` }),
    cells: adminOnly('200'),
  },
  runSpillover: {
    request: () => ({ method: 'POST', target: '/admin/spillover/run?dry_run=true' }),
    cells: adminOnly('200'),
  },
  listSessions: {
    request: () => ({ target: '/sessions?user_id=ada' }),
    cells: tenantOnly('200', '200'),
    otherScope: 'sessions:write',
  },
  deleteSessions: {
    request: () => ({ method: 'DELETE', target: '/sessions?user_id=ada' }),
    cells: tenantOnly('200', '200'),
    otherScope: 'sessions:read',
  },
  whoAmI: { request: () => ({ target: '/whoami' }), cells: tenantOnly('200', '200', '200') },
  checkLive: { request: () => ({ target: '/health/live' }), cells: everyone('200') },
  checkReady: { request: () => ({ target: '/health/ready' }), cells: everyone('200') },
  getOpenapi: { request: () => ({ target: '/openapi.json' }), cells: everyone('200') },
  showDocs: { request: () => ({ target: '/docs' }), cells: everyone('200') },
};

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});

describe('every route [A14 T2]', () => {
  it('has a row in this table, a contract and a function', () => {
    const declared = door.routes.map(({ method, path }) => (path === '$default' ? path : `${method} ${path}`)).sort();
    expect(['$default', ...allContracts.map(({ method, path }) => `${method} ${path}`)].sort()).toEqual(declared);
    expect(Object.keys(ROWS).sort()).toEqual(allContracts.map(({ name }) => name).sort());
  });

  const cases = Object.entries(ROWS).flatMap(([name, row]) =>
    CALLERS.map((caller) => ({ name, row, caller, answer: row.cells[caller] })),
  );

  it.each(cases)('$name answers $answer to: $caller', async ({ row, caller, answer }) => {
    const owner = await newTenant(door.app);
    await door.app.cache.set(owner.caller, { namespace: 'guarded', key: 'entry' }, VALUE);
    const key = await keyOf(caller, owner, row.otherScope ?? 'cache:read');
    const before = await tenantState(door.app, owner.tenant.id);
    const request = row.request(owner);
    const reply = await door.call({ ...request, key });

    expectCommonHeaders(reply.headers);
    if (answer.length === 3) expect(reply.status).toBe(Number(answer));
    else expectProblem(reply, answer);
    if (/^40[13]/.test(answer))
      expect(await tenantState(door.app, owner.tenant.id)).toEqual(changedBy(before, request));
  });
});

describe('below /admin [A14 T2]', () => {
  const paths = ['/admin', '/admin/', '/admin/nothing', '/admin%2Fnothing', '/admin/tenants/', '/admin//tenants'];
  it.each(paths)('asks for the key before it says that %s is not there', async (target) => {
    expectProblem(await door.call({ target }), '401 key_missing');
    expectProblem(await door.call({ target, key: 'no-admin-key' }), '401 key_unknown');
    expectProblem(await door.call({ target, key: ADMIN_KEY }), '404 route_not_found');
  });
});

describe("another tenant's things [T2 A14]", () => {
  it('are answered as things that are not there, in body and headers', async () => {
    const [owner, other] = [await newTenant(door.app), await newTenant(door.app)];
    await door.app.cache.set(owner.caller, { namespace: 'guarded', key: 'entry' }, VALUE);
    for (const method of ['GET', 'HEAD', 'DELETE']) {
      const [there, nowhere] = await Promise.all(
        [ENTRY, '/cache/guarded/never'].map((target) => door.call({ method, target, key: other.key })),
      );
      expect(comparable(there)).toEqual(comparable(nowhere));
    }
    expect((await door.call({ target: ENTRY, key: owner.key })).status).toBe(200);
  });
});

const VALUE = { value: Buffer.from('1'), meta: { content_type: 'application/json' }, ttlMs: null };

async function keyOf(kind: CallerKind, owner: TestTenant, otherScope: Scope): Promise<string | undefined> {
  const { apiKeys } = door.app;
  const scoped = { scopes: ['*' as const], expires_at: null };
  switch (kind) {
    case 'nobody':
      return undefined;
    case 'malformed key':
      return 'rt_tenant-1_key_short';
    case 'unknown key':
      return `${owner.key.slice(0, -1)}${owner.key.endsWith('A') ? 'B' : 'A'}`;
    case 'expired key':
      return (await apiKeys.create(owner.tenant.id, { ...scoped, expires_at: '2020-01-01T00:00:00Z' })).key;
    case 'revoked key': {
      const made = await apiKeys.create(owner.tenant.id, scoped);
      await apiKeys.revoke(owner.tenant.id, made.id);
      return made.key;
    }
    case "another tenant's key":
      return (await newTenant(door.app)).key;
    case 'admin key':
      return ADMIN_KEY;
    case 'tenant key':
      return owner.key;
    case 'key without the scope':
      return (await apiKeys.create(owner.tenant.id, { scopes: [otherScope], expires_at: null })).key;
    case 'key of a suspended tenant':
      await door.app.tenantAdmin.suspend(owner.tenant.id, {});
      return owner.key;
    case 'key of a deleted tenant':
      await door.app.tenantAdmin.remove(owner.tenant.id, { undoMs: null });
      return owner.key;
  }
}

/** A tenant's key at an admin route is looked up, and that lookup is metered; all else stays. */
function changedBy(before: TenantState, { target }: DoorRequest) {
  return target.startsWith('/admin') ? { ...before, gate: { ...before.gate, m: expect.any(String) } } : before;
}

/** Without what differs between any two answers. */
const comparable = (reply: Awaited<ReturnType<Door['call']>> | undefined) => {
  const { 'x-request-id': _id, ratelimit: _left, ...headers } = reply?.headers ?? {};
  const body = reply?.body.toString('utf8').replace(/"request_id":"[^"]*"/, '');
  return { status: reply?.status, headers, body };
};
