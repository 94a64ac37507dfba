/** The endpoints about sessions in S3, through the door: what administration sees and starts, and what a tenant brings back. */
import { beforeAll, describe, expect, it } from 'vitest';
import { createLambdaContext } from '../../infra/local/host/lambda-context.ts';
import { newUlid } from '../../lib/ids.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { PrefetchSessionsResponse } from '../../lib/sessions/http/prefetch-contract.ts';
import { SpilloverResponse, SpillRunResponse } from '../../lib/sessions/http/spillover-contract.ts';
import { ADMIN_KEY, newTenant, type TestTenant, type Transport } from './app.ts';
import { type Door, openDoor } from './door.ts';
import { expectProblem } from './problem.ts';
import { sampleEvent } from './sample-event.ts';
import { auditSessions } from './session-audit.ts';
import { spillAll } from './spill-tools.ts';
import { addSessions, BUDGET, expectWhole, THRESHOLD, tiersOf } from './spilling.ts';

const json = { 'content-type': 'application/json' };
const SMALL = { bytes: 500 };

export function testSpilloverOverHttp(transport: Transport): void {
  let door: Door;
  beforeAll(async () => {
    const env = { PERSISTENCE_SPILLOVER_MAX_MEMORY_BYTES: String(BUDGET), PERSISTENCE_SPILLOVER_BATCH_SIZE: '4' };
    door = await openDoor(env, transport);
    telemetry.logger.setLogLevel('SILENT');
  });

  const admin = async (target: string, method = 'GET') => door.call({ method, target, key: ADMIN_KEY });
  const prefetch = ({ key }: Pick<TestTenant, 'key'>, body: unknown) =>
    door.call({ method: 'POST', target: '/sessions/prefetch', key, headers: json, body: JSON.stringify(body) });
  const itemsOf = (reply: { readonly body: Buffer }) =>
    PrefetchSessionsResponse.strict().parse(JSON.parse(reply.body.toString())).items;

  describe(`the memory of sessions for administration, over ${transport} [P2 P6]`, () => {
    it('is told, brought below the threshold now, and told again', async () => {
      const { caller } = await newTenant(door.app);
      const ids = await addSessions(door.app, caller, 86);
      const dry = SpillRunResponse.strict().parse(
        JSON.parse((await admin('/admin/spillover/run?dry_run=true', 'POST')).body.toString()),
      );
      expect(dry).toMatchObject({ dry_run: true, finished: true, threshold_bytes: THRESHOLD, budget_bytes: BUDGET });
      const reply = await admin('/admin/spillover/run', 'POST');
      expect(reply.status).toBe(200);
      const run = SpillRunResponse.strict().parse(JSON.parse(reply.body.toString()));
      expect(run).toMatchObject({ dry_run: false, busy: false, finished: true, store_failed: false });
      expect(run).toMatchObject({ spilled: dry.spilled, freed_bytes: dry.freed_bytes, hot_bytes: dry.hot_bytes });
      expect(run.spilled).toBeGreaterThan(0);
      expect(run.hot_bytes).toBeLessThanOrEqual(THRESHOLD);
      const one = SpilloverResponse.strict().parse(
        JSON.parse((await admin(`/admin/spillover?tenant_id=${caller.tenantId}`)).body.toString()),
      );
      const { spilled, spilledBytes, hotBytes } = await auditSessions(door.app, caller.tenantId);
      expect(one).toMatchObject({
        ...{ tenant_id: caller.tenantId, sessions: 86, spilled_sessions: spilled, spilled_bytes: spilledBytes },
        budget: { max_memory_bytes: BUDGET, threshold_ratio: 0.8, hot_bytes: hotBytes },
      });
      const all = SpilloverResponse.strict().parse(JSON.parse((await admin('/admin/spillover')).body.toString()));
      expect(all).toMatchObject({ tenant_id: null, total_spilled: one.total_spilled, budget: { hot_bytes: hotBytes } });
      await expectWhole(door.app, caller, ids.slice(0, 2));
      await door.app.sessions.terminateUser(caller, 'ada');
    });

    it('answers a tenant that is not there, and what cannot be asked, as others do', async () => {
      expectProblem(await admin(`/admin/spillover?tenant_id=tenant-${newUlid(1)}`), '404 tenant_not_found');
      for (const target of ['/admin/spillover?tenant_id=x', '/admin/spillover?dry_run=true'])
        expectProblem(await admin(target), '400 invalid_request');
      expectProblem(await admin('/admin/spillover/run?dry_run=1', 'POST'), '400 invalid_request');
    });
  });

  describe(`bringing sessions back, over ${transport} [P4 P6]`, () => {
    it('says of each what became of it: by ids, in their order', async () => {
      const [tenant, other] = [await newTenant(door.app), await newTenant(door.app)];
      const { caller } = tenant;
      const cold = await addSessions(door.app, caller, 12, SMALL);
      await spillAll(door.app, caller.tenantId);
      const [hot] = await addSessions(door.app, caller, 1, SMALL);
      const [foreign] = await addSessions(door.app, other.caller, 1, SMALL);
      const [ended] = await addSessions(door.app, caller, 1, SMALL);
      await door.app.sessions.terminate(caller, ended as string);
      const wrong = `${cold[0]?.slice(0, -1)}${cold[0]?.endsWith('0') ? '1' : '0'}`;
      const asked = [...cold, hot, foreign, ended, wrong, 'no session', cold[0]] as string[];
      const items = itemsOf(await prefetch(tenant, { ids: asked }));
      expect(items.map(({ id }) => id)).toEqual(asked);
      expect(items.map(({ status }) => status)).toEqual([
        ...cold.map(() => 'restored'),
        'hot',
        ...['not_found', 'not_found', 'not_found', 'not_found'],
        'restored',
      ]);
      expect(new Set(await tiersOf(door.app, caller, cold))).toEqual(new Set(['hot']));
      expect(itemsOf(await prefetch(tenant, { ids: cold.slice(0, 2) })).map(({ status }) => status)).toEqual([
        'hot',
        'hot',
      ]);
      await expectWhole(door.app, caller, cold, SMALL.bytes);
      await auditSessions(door.app, caller.tenantId);
    });

    it('brings back those of a user, and none of anybody else', async () => {
      const tenant = await newTenant(door.app);
      const { caller } = tenant;
      const own = await addSessions(door.app, caller, 3, { ...SMALL, userId: 'bob' });
      const others = await addSessions(door.app, caller, 3, { ...SMALL, userId: 'eve' });
      await spillAll(door.app, caller.tenantId);
      expect(itemsOf(await prefetch(tenant, { user_id: 'bob' }))).toEqual(
        own.map((id) => ({ id, status: 'restored' })),
      );
      expect(await tiersOf(door.app, caller, others)).toEqual(['cold', 'cold', 'cold']);
      expect(itemsOf(await prefetch(tenant, { user_id: 'nobody' }))).toEqual([]);
    });

    it('leaves in S3 what has no room below the threshold, and moves nothing for it', async () => {
      const tenant = await newTenant(door.app, { sessions: { max_hot_bytes: 65_536, spill_threshold_ratio: 0.5 } });
      const { caller } = tenant;
      const cold = await addSessions(door.app, caller, 6, { bytes: 12_000 });
      await spillAll(door.app, caller.tenantId);
      const [hot] = await addSessions(door.app, caller, 1, SMALL);
      const statuses = itemsOf(await prefetch(tenant, { ids: [...cold] })).map(({ status }) => status);
      expect(statuses.filter((status) => status === 'restored')).toHaveLength(2);
      expect(statuses.filter((status) => status === 'cold')).toHaveLength(4);
      expect(await tiersOf(door.app, caller, [hot as string])).toEqual(['hot']);
      await auditSessions(door.app, caller.tenantId);
    });

    it('makes no session live longer, and a lost one no other problem than when it is read', async () => {
      const tenant = await newTenant(door.app);
      const { caller } = tenant;
      const [kept, lost] = await addSessions(door.app, caller, 2, SMALL);
      const before = await door.app.sessions.get(caller, kept as string, { touch: false });
      await spillAll(door.app, caller.tenantId);
      const objects = await door.app.blobs.list({ prefix: `sessions/spillover/${caller.tenantId}/` });
      const ulid = (lost as string).split('-')[1] as string;
      await door.app.blobs.delete(objects.items.map(({ key }) => key).filter((key) => key.includes(`session-${ulid}`)));
      const items = itemsOf(await prefetch(tenant, { ids: [kept, lost] }));
      expect(items.map(({ status }) => status)).toEqual(['restored', 'cold']);
      const after = await door.app.sessions.get(caller, kept as string, { touch: false });
      expect(after).toMatchObject({ expiresAtMs: before?.expiresAtMs, version: before?.version });
      await expect(door.app.sessions.get(caller, lost as string)).rejects.toMatchObject({ code: 'session_lost' });
    });

    it.each([
      {},
      { ids: [] },
      { ids: ['a'], user_id: 'ada' },
      { user_id: '' },
      { ids: Array.from({ length: 101 }, () => 'a') },
      { ids: [1] },
    ])('refuses %j', async (body) => {
      expectProblem(await prefetch(await newTenant(door.app), body), '400 invalid_request');
    });

    it('asks the policies about each of them', async () => {
      const tenant = await newTenant(door.app);
      const [denied, allowed] = await addSessions(door.app, tenant.caller, 2, SMALL);
      const resource = `sessions/${denied?.split('-').slice(0, 2).join('-')}`;
      await door.app.tenantPolicies.set(
        tenant.caller.tenantId,
        { default: 'allow', statements: [{ effect: 'deny', actions: ['sessions:read'], resources: [resource] }] },
        {},
      );
      expectProblem(await prefetch(tenant, { ids: [allowed, denied] }), '403 access_denied');
      expect(itemsOf(await prefetch(tenant, { ids: [allowed] }))).toEqual([{ id: allowed, status: 'hot' }]);
    });
  });

  describe(`the schedule, over ${transport} [P2]`, () => {
    const contextOf = (timeoutMs: number) =>
      createLambdaContext({ name: 'schedulesSpillSessions', memoryMb: 1_024, timeoutMs }, 'run-1');

    it('makes a pass when it is called at once, and ends its pause in time when it comes by the clock', async () => {
      const { handler } = await import('../../functions/schedules/spill-sessions.ts');
      const { caller } = await newTenant(door.app);
      await addSessions(door.app, caller, 86);
      expect(await handler({}, contextOf(60_000) as never)).toMatchObject({
        passes: 1,
        finished: true,
        storeFailed: false,
      });
      const { hotBytes, spilled } = await auditSessions(door.app, caller.tenantId);
      expect(hotBytes).toBeLessThanOrEqual(THRESHOLD);
      expect(spilled).toBeGreaterThan(0);
      const report = await handler(sampleEvent('schedules/spill-sessions'), contextOf(1_500) as never);
      expect(report).toMatchObject({ passes: 1, spilled: 0, finished: true });
    });
  });
}
