/** Administration of tenants over HTTP: what is taken, what is refused, and what the answers say. */
import { beforeAll, describe, expect, it } from 'vitest';
import { newSessionId, type TenantId } from '../../lib/ids.ts';
import { ADMIN_KEY, newTenant, newTenantRequest } from '../support/app.ts';
import { type Door, type DoorReply, type DoorRequest, openDoor } from '../support/door.ts';
import { expectProblem } from '../support/problem.ts';
import { auditedActions, countTenants, tenantState } from '../support/tenant-state.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});

const BODY = { name: 'Acme', owner: { id: 'o', name: 'Ada', email: 'ada@acme.test' }, encryption: false };
const dataOf = (reply: DoorReply) => JSON.parse(reply.body.toString('utf8'));
const call = (request: DoorRequest & { readonly json?: unknown }) => {
  const { json, ...rest } = request;
  const type = { 'content-type': 'application/json', ...rest.headers };
  return door.call({
    key: ADMIN_KEY,
    ...rest,
    ...(json === undefined ? {} : { body: JSON.stringify(json), headers: type }),
  });
};
const newId = async () => (await door.app.tenants.create(newTenantRequest())).id;

const OVER = 1_000_000_000_000_001;
/** What neither a creation nor an update takes. */
const BAD_FIELDS: readonly (readonly [string, unknown, string])[] = [
  ['a negative quota', { quotas: { memory_bytes: -1 } }, 'body.quotas.memory_bytes'],
  ['a fractional quota', { quotas: { operations_per_minute: 1.5 } }, 'body.quotas.operations_per_minute'],
  ['a quota above 2^53', { quotas: { storage_bytes: 2 ** 53 } }, 'body.quotas.storage_bytes'],
  ['a quota too large to be exact', { quotas: { data_transfer_bytes: OVER } }, 'body.quotas.data_transfer_bytes'],
  [
    'a rate too large to be exact',
    { quotas: { operations_per_minute: 60_000_001 } },
    'body.quotas.operations_per_minute',
  ],
  ['a quota as text', { quotas: { memory_bytes: '5' } }, 'body.quotas.memory_bytes'],
  ['an unknown quota', { quotas: { bytes: 5 } }, 'body.quotas'],
  ['an unknown plan', { plan: 'gold' }, 'body.plan'],
  ['an empty name', { name: '  ' }, 'body.name'],
  ['a name of 121 characters', { name: 'x'.repeat(121) }, 'body.name'],
  ['a name with a line break', { name: 'a\nb' }, 'body.name'],
  ['an email that is none', { owner: { ...BODY.owner, email: 'ada' } }, 'body.owner.email'],
  [
    'an email of 255 characters',
    { owner: { ...BODY.owner, email: `${'a'.repeat(244)}@acme.test1` } },
    'body.owner.email',
  ],
  ['an owner without an id', { owner: { name: 'Ada', email: 'ada@acme.test' } }, 'body.owner.id'],
  ['a burst of nothing', { rate_limit: { burst: 0 } }, 'body.rate_limit.burst'],
  [
    'a limit of a route that is none',
    { rate_limit: { routes: { getNothing: { operations_per_minute: 1 } } } },
    'body.rate_limit.routes.getNothing',
  ],
  [
    'a limit of an admin route',
    { rate_limit: { routes: { getTenant: { operations_per_minute: 1 } } } },
    'body.rate_limit.routes.getTenant',
  ],
  [
    'a route limit of nothing',
    { rate_limit: { routes: { getEntry: { operations_per_minute: 0 } } } },
    'body.rate_limit.routes.getEntry.operations_per_minute',
  ],
  ['an eviction policy that is none', { cache: { eviction_policy: 'fifo' } }, 'body.cache.eviction_policy'],
  ['a namespace of no name', { cache: { namespaces: { '': {} } } }, 'body.cache.namespaces.'],
  [
    'a lifetime that is none',
    { cache: { namespaces: { ns: { default_ttl_seconds: 0 } } } },
    'body.cache.namespaces.ns.default_ttl_seconds',
  ],
  [
    '101 namespaces',
    { cache: { namespaces: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`n${i}`, {}])) } },
    'body.cache.namespaces',
  ],
  ['sessions that end at once', { sessions: { timeout_seconds: 0 } }, 'body.sessions.timeout_seconds'],
  [
    'sessions that are idle longer than they live',
    { sessions: { timeout_seconds: 61, max_lifetime_seconds: 60 } },
    'body.sessions.timeout_seconds',
  ],
  ['a threshold of the whole', { sessions: { spill_threshold_ratio: 1 } }, 'body.sessions.spill_threshold_ratio'],
  ['room for less than 64 KiB of sessions', { sessions: { max_hot_bytes: 65_535 } }, 'body.sessions.max_hot_bytes'],
  ['a webhook that is no URL', { alert_webhook_url: 'acme' }, 'body.alert_webhook_url'],
  ['a webhook by another protocol', { alert_webhook_url: 'ftp://acme.test/a' }, 'body.alert_webhook_url'],
  ['a webhook with a password', { alert_webhook_url: 'https://u:p@acme.test/a' }, 'body.alert_webhook_url'],
  [
    'a webhook of 2,001 characters',
    { alert_webhook_url: `https://acme.test/${'a'.repeat(1_983)}` },
    'body.alert_webhook_url',
  ],
  ['encryption as text', { encryption: 'yes' }, 'body.encryption'],
  ['a setting above 2^53', { settings: { n: 2 ** 53 } }, 'body.settings.n'],
  ['an unknown field', { status: 'active' }, 'body'],
];

describe('what is no tenant [A1 A4 A14]', () => {
  it.each(BAD_FIELDS)(
    '%s is refused when a tenant is made and when it is changed; nothing changes',
    async (_name, fields, field) => {
      const id = await newId();
      const [before, count] = [await tenantState(door.app, id), await countTenants(door.app)];
      const made = await call({ method: 'POST', target: '/admin/tenants', json: { ...BODY, ...(fields as object) } });
      const changed = await call({ method: 'PUT', target: `/admin/tenants/${id}`, json: fields });
      for (const reply of [made, changed]) {
        const problem = expectProblem(reply, '400 invalid_request');
        expect(problem.errors?.map((error) => error.field)).toContain(field);
      }
      expect(await tenantState(door.app, id)).toEqual(before);
      expect(await countTenants(door.app)).toBe(count);
    },
  );
});

describe('what is no request of administration [A2 A5 T2 T3 T10 A14]', () => {
  const long = (n: number) => Array.from({ length: n }, () => 'cache:*');
  const deny = (more: object) => ({ statements: [{ effect: 'deny', actions: ['*'], resources: ['*'], ...more }] });
  const big = {
    statements: Array.from({ length: 10 }, () => ({
      effect: 'deny',
      actions: ['*'],
      resources: Array.from({ length: 20 }, (_, i) => `${i}${'r'.repeat(250)}`),
    })),
  };

  it.each([
    ['GET', '?limit=0', undefined],
    ['GET', '?limit=101', undefined],
    ['GET', '?limit=1.5', undefined],
    ['GET', '?cursor=nothing', undefined],
    ['GET', '?plan=gold', undefined],
    ['GET', '?status=gone', undefined],
    ['GET', '?text=%00', undefined],
    ['DELETE', '/{id}?undo_seconds=-1', undefined],
    ['DELETE', '/{id}?undo_seconds=soon', undefined],
    ['DELETE', '/{id}?undo_seconds=604801', undefined],
    ['DELETE', '/{id}?dry_run=maybe', undefined],
    ['PUT', '/{id}?force=perhaps', {}],
    ['PUT', '/{id}?dry_run=maybe', {}],
    ['PUT', '/{id}/policies?dry_run=1', { statements: [] }],
    ['DELETE', '/{id}/keys/key-01jd5x9a2b3c4d5e6f7g8h9j0k?dry_run=yes', undefined],
    ['GET', '/{id}/keys?limit=x', undefined],
    ['DELETE', '/{id}/keys/key-1', undefined],
    ['POST', '/{id}/keys', { scopes: [] }],
    ['POST', '/{id}/keys', { scopes: ['cache:reed'] }],
    ['POST', '/{id}/keys', { scopes: ['sessions:check'] }],
    ['POST', '/{id}/keys', { rate_limit: { operations_per_minute: 0 } }],
    ['POST', '/{id}/keys', { expires_at: 'tomorrow' }],
    ['POST', '/{id}/keys', { expires_at: '2020-01-01T00:00:00Z' }],
    ['POST', '/{id}/keys/key-01jd5x9a2b3c4d5e6f7g8h9j0k/rotate', { overlap_seconds: -1 }],
    ['POST', '/{id}/keys/key-01jd5x9a2b3c4d5e6f7g8h9j0k/rotate', { overlap_seconds: 604_801 }],
    ['PUT', '/{id}/policies', {}],
    ['PUT', '/{id}/policies', { default: 'maybe', statements: [] }],
    ['PUT', '/{id}/policies', deny({ effect: 'forbid' })],
    ['PUT', '/{id}/policies', deny({ actions: [] })],
    ['PUT', '/{id}/policies', deny({ actions: long(21) })],
    ['PUT', '/{id}/policies', deny({ actions: ['cache:reed'] })],
    ['PUT', '/{id}/policies', deny({ actions: ['session:read'] })],
    ['PUT', '/{id}/policies', deny({ resources: ['r'.repeat(257)] })],
    ['PUT', '/{id}/policies', deny({ resources: ['a\u0000b'] })],
    ['PUT', '/{id}/policies', deny({ resources: ['sessions/session-1'] })],
    ['PUT', '/{id}/policies', deny({ resources: [`sessions/${newSessionId(0)}`] })],
    ['PUT', '/{id}/policies', deny({ resources: [`sessions/${newSessionId(0)}*`] })],
    ['PUT', '/{id}/policies', deny({ keys: ['somebody'] })],
    ['PUT', '/{id}/policies', { statements: Array.from({ length: 101 }, () => deny({}).statements[0]) }],
    ['PUT', '/{id}/policies', big],
    ['POST', '/{id}/quota-requests', { quotas: {}, reason: 'more' }],
    ['POST', '/{id}/quota-requests', { quotas: { memory_bytes: 1e15 } }],
    ['POST', '/{id}/quota-requests', { quotas: { memory_bytes: -1 }, reason: 'more' }],
    ['POST', '/{id}/quota-requests', { quotas: { memory_bytes: 1 }, reason: 'less' }],
    ['POST', '/{id}/quota-requests/1/approve', undefined],
    ['POST', '/{id}/suspend', { reason: 'Bills were not paid' }],
    ['DELETE', '/{id}', { dry_run: true }],
  ] as const)('%s /admin/tenants%s is refused', async (method, path, json) => {
    const id = await newId();
    const before = await tenantState(door.app, id);
    const target = `/admin/tenants${path.replace('{id}', id)}`;
    expectProblem(await call({ method, target, ...(json === undefined ? {} : { json }) }), '400 invalid_request');
    expect(await tenantState(door.app, id)).toEqual(before);
  });
});

describe('the revision of a tenant [A4 A14]', () => {
  it('is its ETag: one of two updates from it is made, the other told', async () => {
    const made = await call({ method: 'POST', target: '/admin/tenants', json: BODY });
    expect(made.status).toBe(201);
    const etag = made.headers.etag as string;
    const target = `/admin/tenants/${dataOf(made).id}`;
    expect(made.headers.location).toBe(target);
    const headers = { 'if-match': etag };
    const both = await Promise.all(['a', 'b'].map((name) => call({ method: 'PUT', target, headers, json: { name } })));
    expect(both.map(({ status }) => status).sort()).toEqual([200, 412]);
    const [won] = both.filter(({ status }) => status === 200);
    const [lost] = both.filter(({ status }) => status === 412);
    expectProblem(lost as DoorReply, '412 precondition_failed');
    const now = await call({ target });
    expect(now.headers.etag).toBe(won?.headers.etag);
    expect(dataOf(now)).toEqual(dataOf(won as DoorReply));
  });

  it.each([
    ['*', 200],
    ['"9", "1"', 200],
    ['W/"1"', 412],
    ['"2"', 412],
    ['"something"', 412],
    ['1', 400],
  ])('If-Match: %s answers %i for the first revision', async (header, status) => {
    const target = `/admin/tenants/${await newId()}`;
    const headers = { 'if-match': header };
    expect((await call({ method: 'PUT', target, headers, json: { name: 'B' } })).status).toBe(status);
  });

  it('guards deletion, suspension and policies too', async () => {
    const target = `/admin/tenants/${await newId()}`;
    const headers = { 'if-match': '"7"' };
    for (const request of [
      { method: 'DELETE', target },
      { method: 'POST', target: `${target}/suspend` },
      { method: 'PUT', target: `${target}/policies`, json: { statements: [] } },
    ])
      expectProblem(await call({ ...request, headers }), '412 precondition_failed');
    expect((await call({ target })).headers.etag).toBe('"1"');
  });
});

describe('a repeated request [A1 A14]', () => {
  it('makes one tenant, one key and one change with one Idempotency-Key', async () => {
    const twice = async (request: Parameters<typeof call>[0]) => {
      const headers = { 'idempotency-key': crypto.randomUUID() };
      const first = await call({ ...request, headers });
      const second = await call({ ...request, headers });
      expect(second.headers['idempotency-status']).toBe('replayed');
      expect(dataOf(second)).toEqual(dataOf(first));
      expect([second.headers.etag, second.headers.location]).toEqual([first.headers.etag, first.headers.location]);
      return dataOf(first);
    };
    const count = await countTenants(door.app);
    const { id } = await twice({ method: 'POST', target: '/admin/tenants', json: BODY });
    expect(await countTenants(door.app)).toBe(count + 1);
    const { id: keyId } = await twice({ method: 'POST', target: `/admin/tenants/${id}/keys`, json: {} });
    await twice({ method: 'POST', target: `/admin/tenants/${id}/keys/${keyId}/rotate`, json: {} });
    expect(dataOf(await call({ target: `/admin/tenants/${id}/keys` })).items).toHaveLength(2);
    await twice({ method: 'POST', target: `/admin/tenants/${id}/suspend` });
    expect((await call({ target: `/admin/tenants/${id}` })).headers.etag).toBe('"2"');
  });
});

describe('a dry run [A4 A5 T2 T3 A14]', () => {
  /** The answer, and that nothing was changed or logged. */
  const dry = async (id: TenantId, request: Parameters<typeof call>[0]) => {
    const seen = async () => [await tenantState(door.app, id), await auditedActions(door.app, id)];
    const before = await seen();
    const reply = await call({ ...request, target: `/admin/tenants/${id}${request.target}dry_run=true` });
    expect(await seen()).toEqual(before);
    return reply;
  };

  it('of an update answers the tenant as it would be, and refuses what the update would', async () => {
    const id = await newId();
    const json = { plan: 'professional', encryption: true, quotas: { memory_bytes: 5_000_000 } };
    const reply = await dry(id, { method: 'PUT', target: '?', json });
    expect([reply.status, reply.headers.etag]).toEqual([200, '"1"']);
    expect(dataOf(reply)).toMatchObject({ id, ...json });
    const now = dataOf(await call({ target: `/admin/tenants/${id}` }));
    expect(now).toMatchObject({ plan: 'free', updated_at: dataOf(reply).updated_at });
    const headers = { 'if-match': '"7"' };
    expectProblem(await dry(id, { method: 'PUT', target: '?', json, headers }), '412 precondition_failed');
    expectProblem(await dry(id, { method: 'DELETE', target: '?', headers }), '412 precondition_failed');
  });

  it('of policies answers them, and refuses what setting them would', async () => {
    const id = await newId();
    const json = { default: 'deny', statements: [] };
    const reply = await dry(id, { method: 'PUT', target: '/policies?', json });
    expect([reply.status, reply.headers.etag, dataOf(reply)]).toEqual([200, '"1"', json]);
    const headers = { 'if-match': '"7"' };
    expectProblem(await dry(id, { method: 'PUT', target: '/policies?', json, headers }), '412 precondition_failed');
  });

  it('of a revocation answers the key as it is listed, which works on', async () => {
    const { tenant, key } = await newTenant(door.app);
    const keys = `/admin/tenants/${tenant.id}/keys`;
    const [listed] = dataOf(await call({ target: keys })).items;
    const reply = await dry(tenant.id, { method: 'DELETE', target: `/keys/${listed.id}?` });
    expect([reply.status, dataOf(reply)]).toEqual([200, listed]);
    expect((await call({ target: '/whoami', key })).status).toBe(200);
    const other = `/keys/key-01jd5x9a2b3c4d5e6f7g8h9j0k?`;
    expectProblem(await dry(tenant.id, { method: 'DELETE', target: other }), '404 key_not_found');
    expectProblem(
      await call({
        method: 'DELETE',
        target: `/admin/tenants/tenant-01jd5x8k3v9q2m7n4p6r8s0t1w${other}dry_run=true`,
      }),
      '404 tenant_not_found',
    );
    expect((await call({ method: 'DELETE', target: `${keys}/${listed.id}?dry_run=false` })).status).toBe(204);
    expect(dataOf(await dry(tenant.id, { method: 'DELETE', target: `/keys/${listed.id}?` })).state).toBe('revoked');
  });
});

describe('a deleted tenant [A5 T9]', () => {
  const changesOf = (target: string) => [
    { method: 'PUT', target, json: { name: 'B' } },
    { method: 'PUT', target: `${target}?dry_run=true`, json: { name: 'B' } },
    { method: 'POST', target: `${target}/suspend` },
    { method: 'POST', target: `${target}/resume` },
    { method: 'POST', target: `${target}/keys`, json: {} },
    { method: 'PUT', target: `${target}/policies`, json: { default: 'deny', statements: [] } },
    { method: 'POST', target: `${target}/quota-requests`, json: { quotas: { memory_bytes: 1e15 }, reason: 'more' } },
  ];

  it('whose time is over takes no change, and is not said to be there to undelete', async () => {
    const target = `/admin/tenants/${await newId()}`;
    expect((await call({ method: 'DELETE', target: `${target}?undo_seconds=0` })).status).toBe(200);
    for (const request of [...changesOf(target), { method: 'POST', target: `${target}/undelete` }])
      expect(expectProblem(await call(request), '410 tenant_erased').detail).toContain('it is being erased');
  });

  it('is told with the time it will be erased, and takes no other change', async () => {
    const target = `/admin/tenants/${await newId()}`;
    const preview = dataOf(await call({ method: 'DELETE', target: `${target}?dry_run=true` }));
    expect(preview).toMatchObject({ dry_run: true, status: 'deleted', erases: { entries: 0, api_keys: 0 } });
    expect(dataOf(await call({ target })).status).toBe('active');
    const gone = dataOf(await call({ method: 'DELETE', target: `${target}?undo_seconds=3600` }));
    expect(Date.parse(gone.erase_at) - Date.parse(gone.deleted_at)).toBe(3_600_000);
    expect(dataOf(await call({ target }))).toMatchObject({ status: 'deleted', erase_at: gone.erase_at });
    for (const request of changesOf(target)) expectProblem(await call(request), '409 deletion_pending');
    expect((await call({ method: 'POST', target: `${target}/undelete` })).status).toBe(200);
    expectProblem(await call({ method: 'POST', target: `${target}/undelete` }), '409 tenant_not_deleted');
  });

  it('is not there for anybody once it was never made', async () => {
    const target = '/admin/tenants/tenant-01jd5x8k3v9q2m7n4p6r8s0t1w';
    for (const request of [
      { target },
      { method: 'PUT', target, json: { name: 'B' } },
      { method: 'DELETE', target },
      { method: 'POST', target: `${target}/suspend` },
      { target: `${target}/keys` },
      { method: 'POST', target: `${target}/keys`, json: {} },
      { method: 'DELETE', target: `${target}/keys/key-01jd5x9a2b3c4d5e6f7g8h9j0k` },
      { target: `${target}/policies` },
      { target: `${target}/quota-requests` },
    ])
      expectProblem(await call(request), '404 tenant_not_found');
  });
});
