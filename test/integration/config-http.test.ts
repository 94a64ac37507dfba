/** The configuration of running instances, through the door: changed, listed, tried, taken back; and what is refused. */
import { beforeAll, describe, expect, it } from 'vitest';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import {
  ConfigVersionListResponse,
  OneConfigVersionResponse,
  ReloadResponse,
} from '../../lib/runtime-config/contract.ts';
import { isChosen } from '../../lib/runtime-config/tenant-share.ts';
import { ADMIN_KEY, newTenant, type TestTenant } from '../support/app.ts';
import { pendingIn } from '../support/audit-state.ts';
import { type Door, openDoor } from '../support/door.ts';
import { expectProblem } from '../support/problem.ts';
import { newBucket } from '../support/state-app.ts';

const json = { 'content-type': 'application/json' };
const SECRET = 'hunter2-hunter2';
let door: Door;

beforeAll(async () => {
  door = await openDoor({ PERSISTENCE_BLOBS_BUCKET: await newBucket(), REDIS_PASSWORD_X: SECRET });
  telemetry.logger.setLogLevel('SILENT');
});

const call = (target: string, body?: unknown, headers: Record<string, string> = {}) =>
  door.call({
    method: body === undefined ? 'GET' : 'POST',
    target,
    key: ADMIN_KEY,
    headers: { ...json, ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
async function reload(body: unknown, query = '', headers: Record<string, string> = {}) {
  const reply = await call(`/admin/state/reload${query}`, body, headers);
  expect(reply.body.toString()).toContain('restart_required');
  return ReloadResponse.strict().parse(JSON.parse(reply.body.toString()));
}
async function activate(version: number, body: unknown = {}) {
  const reply = await call(`/admin/config/versions/${version}/activate`, body);
  return ReloadResponse.strict().parse(JSON.parse(reply.body.toString()));
}
const versionOf = async (version: number) =>
  OneConfigVersionResponse.strict().parse(
    JSON.parse((await call(`/admin/config/versions/${version}`)).body.toString()),
  );
const listOf = async (query = '') =>
  ConfigVersionListResponse.strict().parse(JSON.parse((await call(`/admin/config/versions${query}`)).body.toString()));
/** The lifetime an entry without one is given, s. */
async function lifetimeOf({ key }: Pick<TestTenant, 'key'>): Promise<number> {
  await door.call({ method: 'PUT', target: '/cache/c/k', key, body: 'v' });
  const { headers } = await door.call({ target: '/cache/c/k', key });
  return Math.round((Date.parse(headers['riptide-expires-at'] ?? '') - Date.now()) / 1_000);
}
const ttl = (seconds: number | null) => ({ settings: { cache: { default_ttl_seconds: seconds } } });

describe('the configuration is changed while instances run [K6 A11]', () => {
  it('is nothing but the deployment at first', async () => {
    expect(await listOf()).toEqual({ items: [], next_cursor: null });
    expect(await versionOf(0)).toMatchObject({ version: 0, active: true, settings: {}, diff_to_active: [] });
    expect(await reload({})).toMatchObject({ changed: false, version: null, active: { version: 0, rev: 0 } });
  });

  it('says what a change would do, does it, and the next request goes by it', async () => {
    const tenant = await newTenant(door.app);
    const changes = [{ name: 'cache.default_ttl_seconds', from: '86400', to: '600', hot: true }];
    expect(await reload(ttl(600), '?dry_run=true')).toMatchObject({ changed: false, dry_run: true, changes });
    expect(await lifetimeOf(tenant)).toBeGreaterThan(80_000);

    const made = await reload({ ...ttl(600), note: 'shorter' });
    expect(made).toMatchObject({ changed: true, version: 1, active: { version: 1, rev: 1 }, changes, canary: null });
    expect(await lifetimeOf(tenant)).toBeLessThanOrEqual(600);
    expect(await reload(ttl(600))).toMatchObject({ changed: false, version: null, changes: [] });
    expect(await versionOf(1)).toMatchObject({
      ...{ source: 'api', note: 'shorter', active: true },
      settings: { cache: { default_ttl_seconds: '600' } },
    });
  });

  it('goes back to an earlier one, and to what the deployment started with', async () => {
    const tenant = await newTenant(door.app);
    await reload(ttl(300));
    expect((await versionOf(1)).diff_to_active).toEqual([
      { name: 'cache.default_ttl_seconds', from: '300', to: '600', hot: true },
    ]);
    expect(await activate(1)).toMatchObject({ changed: true, version: 1, active: { version: 1 } });
    expect(await lifetimeOf(tenant)).toBeGreaterThan(550);
    expect(await activate(1)).toMatchObject({ changed: false });
    expect(await activate(0)).toMatchObject({ changed: true, version: 0 });
    expect(await lifetimeOf(tenant)).toBeGreaterThan(80_000);
    expectProblem(await call('/admin/config/versions/4711'), '404 config_version_not_found');
    expectProblem(await call('/admin/config/versions/4711/activate', {}), '404 config_version_not_found');
  });

  it('lists versions newest first, by pages', async () => {
    const { items, next_cursor } = await listOf('?limit=1');
    expect(items).toMatchObject([{ version: 2, active: false }]);
    expect((await listOf(`?cursor=${next_cursor}`)).items).toMatchObject([{ version: 1 }]);
  });

  it('is told in the audit log, once for each activation, without values', async () => {
    const entries = (await pendingIn(door.app)).map((text) => JSON.parse(text));
    const told = entries.filter(({ action }) => action === 'config.activate');
    expect(told.map(({ details }) => details.version)).toEqual([1, 2, 1, 0]);
    expect(told[0]).toMatchObject({
      actor: expect.stringMatching(/^admin:/),
      details: { settings: ['cache.default_ttl_seconds'], from: 0 },
    });
  });

  it('is changed once by a call that is sent twice', async () => {
    const headers = { 'idempotency-key': 'config-once' };
    const [first, second] = [await reload(ttl(77), '', headers), await reload(ttl(77), '', headers)];
    expect(second).toEqual(first);
    expect(first).toMatchObject({ changed: true });
  });

  it('takes a whole file as text, which replaces what requests have set', async () => {
    const yaml = 'persistence:\n  cache:\n    eviction_policy: none\n  redis:\n    url: redis://elsewhere\n';
    const { changes, ignored } = await reload({ yaml });
    expect(changes.map(({ name, to }) => `${name}=${to}`)).toEqual([
      'cache.default_ttl_seconds=86400',
      'cache.eviction_policy=none',
    ]);
    expect(ignored).toEqual(['redis.url']);
    await activate(0);
  });

  it('tells which settings wait for a restart', async () => {
    const { changes, restart_required } = await reload({ settings: { cache: { local_max_bytes: '1MB' } } });
    expect(changes).toMatchObject([{ name: 'cache.local_max_bytes', hot: false }]);
    expect(restart_required).toEqual(['cache.local_max_bytes']);
    expect(door.app.config.cache.localMaxBytes).toBe(32 * 2 ** 20);
    await activate(0);
  });
});

describe('a configuration that cannot be used is refused [K6]', () => {
  const errorsOf = async (body: unknown) =>
    expectProblem(await call('/admin/state/reload', body), '422 config_refused').errors;

  it('with every problem at once, and the old one stays', async () => {
    const before = await listOf();
    const errors = await errorsOf({
      settings: {
        cache: { default_ttl_seconds: -1, eviction_policy: 'random', colour: 'red' },
        nothing: { at: 'all' },
        state: { session_timeout_seconds: {} },
      },
    });
    expect(errors?.map(({ field }) => field)).toEqual([
      ...['cache.colour', 'nothing', 'state.session_timeout_seconds'],
      ...['cache.default_ttl_seconds', 'cache.eviction_policy'],
    ]);
    const values = await errorsOf({
      settings: { cache: { default_ttl_seconds: -1, eviction_policy: 'random' }, worker: { batch_size: 9_000 } },
    });
    expect(values?.map(({ field }) => field).sort()).toEqual([
      'cache.default_ttl_seconds',
      'cache.eviction_policy',
      'worker.batch_size',
    ]);
    expect(await listOf()).toEqual(before);
  });

  it('where it is YAML that is none, or text for two things', async () => {
    expect(await errorsOf({ yaml: 'persistence:\n  cache: {' })).toHaveLength(1);
    const both = await errorsOf({ yaml: 'persistence:\n  cache:\n    default_ttl_seconds: no\n  cash: {}\n' });
    expect(both?.map(({ field }) => field)).toEqual(['yaml:4', 'cache.default_ttl_seconds']);
    expectProblem(await call('/admin/state/reload', { yaml: '', settings: {} }), '400 invalid_request');
  });

  it.each([
    ['redis', 'url', 'redis://user:hunter2@h'],
    ['redis', 'rest_token', 'hunter2'],
    ['cache', 'key_prefix', 'other'],
    ['admin', 'key_sha256', 'f'.repeat(64)],
    ['alerts', 'webhook_secret', 'whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0'],
    ['blobs', 'bucket', 'elsewhere'],
    ['encryption', 'kms_endpoint', 'https://user:hunter2@h'],
  ])('where it would set %s.%s, which is the deployment’s', async (group, name, value) => {
    const reply = await call('/admin/state/reload', { settings: { [group]: { [name]: value } } });
    const { errors } = expectProblem(reply, '422 config_refused');
    expect(errors).toMatchObject([{ field: `${group}.${name}` }]);
    expect(reply.body.toString()).not.toContain('hunter2');
  });

  it('and gives away nothing of the environment', async () => {
    const placeholder = ['$', '{REDIS_PASSWORD_X:-none}'].join('');
    const yaml = `persistence:\n  state:\n    config_watch_paths: "${placeholder}"\n`;
    await reload({ yaml });
    const { items } = await listOf();
    expect(items[0]?.changes).toMatchObject([{ name: 'state.config_watch_paths', to: 'none' }]);
    await activate(0);
  });
});

describe('a configuration is tried with some tenants first [K6]', () => {
  it('with those of the share, and the same ones of a larger; then promoted, or given up', async () => {
    const tenants = await Promise.all(Array.from({ length: 12 }, () => newTenant(door.app)));
    const chosen = (share: number) => tenants.filter(({ caller }) => isChosen(caller.tenantId, share));
    const lifetimes = async () => Promise.all(tenants.map(lifetimeOf));
    const share = 0.4;
    const tried = await reload({ ...ttl(60), tenant_share: share });
    expect(tried).toMatchObject({
      changed: true,
      active: { version: 0 },
      canary: { version: tried.version, tenant_share: share },
    });

    const short = (await lifetimes()).map((seconds) => seconds <= 60);
    expect(short).toEqual(tenants.map((tenant) => chosen(share).includes(tenant)));
    expect(chosen(0.7)).toEqual(expect.arrayContaining(chosen(share)));
    expectProblem(await call('/admin/state/reload', ttl(61)), '409 config_canary_running');

    expect(await activate(tried.version ?? -1, { tenant_share: 1 })).toMatchObject({ canary: { tenant_share: 1 } });
    expect((await lifetimes()).every((seconds) => seconds <= 60)).toBe(true);
    expect(await activate(0)).toMatchObject({ changed: true, canary: null });
    expect((await lifetimes()).every((seconds) => seconds > 80_000)).toBe(true);

    expect(await activate(tried.version ?? -1)).toMatchObject({ active: { version: tried.version }, canary: null });
    expect((await lifetimes()).every((seconds) => seconds <= 60)).toBe(true);
    await activate(0);
  });

  it('of spillover too, whose settings have an endpoint of their own [P6]', async () => {
    const reply = await call('/admin/spillover', { threshold_ratio: 0.5, storage_class: 'STANDARD_IA', note: 'n' });
    expect(ReloadResponse.strict().parse(JSON.parse(reply.body.toString()))).toMatchObject({
      changed: true,
      changes: [{ name: 'spillover.threshold_ratio', to: '0.5' }, { name: 'spillover.storage_class' }],
    });
    const { body } = await call('/admin/spillover');
    expect(JSON.parse(body.toString()).budget.threshold_ratio).toBe(0.5);
    expectProblem(await call('/admin/spillover', { threshold_ratio: 2 }), '422 config_refused');
    await activate(0);
  });
});
