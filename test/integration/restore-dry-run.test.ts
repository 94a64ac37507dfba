/** A dry run says exactly what a restore would do, and changes nothing. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { newTenant, TRANSPORTS, type Transport } from '../support/app.ts';
import { restore } from '../support/restoring.ts';
import { letExpire, spillToolsOn, texts } from '../support/spill-tools.ts';
import { checkpoint, stateApp } from '../support/state-app.ts';
import { dumpOf } from '../support/state-dump.ts';
import { generationOf } from '../support/tenant-state.ts';

beforeAll(() => telemetry.logger.setLogLevel('SILENT'));

const META = { content_type: 'text/plain' };
const named = (key: string) => ({ namespace: 'ns', key });
const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'] as const;

const key = fc.constantFrom(...KEYS);
const which = fc.nat(20);
const step = fc.oneof(
  fc.record({ do: fc.constant('set' as const), key, value: fc.constantFrom('1', '2') }),
  fc.record({ do: fc.constant('delete' as const), key }),
  fc.record({ do: fc.constant('invalidate' as const) }),
  fc.record({ do: fc.constant('create' as const) }),
  fc.record({ do: fc.constant('update' as const), which }),
  fc.record({ do: fc.constant('touch' as const), which }),
  fc.record({ do: fc.constant('terminate' as const), which }),
  fc.record({ do: fc.constant('spill' as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** What is there: entries by a mark of each writing, sessions by their version. */
interface Model {
  readonly entries: Map<string, number>;
  readonly sessions: Map<string, number>;
  readonly dead: Set<string>;
  writes: number;
}

async function take(app: App, caller: Caller, model: Model, now: Step): Promise<void> {
  const ids = [...model.sessions.keys()];
  const id = 'which' in now ? ids[now.which % Math.max(1, ids.length)] : undefined;
  switch (now.do) {
    case 'set':
      await app.cache.set(caller, named(now.key), { value: Buffer.from(now.value), meta: META });
      model.entries.set(now.key, ++model.writes);
      return;
    case 'delete':
      await app.cache.delete(caller, named(now.key));
      model.entries.delete(now.key);
      return;
    case 'invalidate':
      await app.invalidation.invalidate(caller, { selector: { by: 'namespace', namespace: 'ns' }, dry: false });
      return model.entries.clear();
    case 'create': {
      const made = await app.sessions.create(caller, { userId: 'ada', data: texts({ a: 1 }) });
      model.sessions.set(made.id, 1);
      return;
    }
    case 'spill': {
      const { coldest, spiller } = spillToolsOn(app);
      const place = { id: caller.tenantId, generation: await generationOf(app, caller.tenantId) };
      await spiller.spill(place, await coldest.find(place, 2));
      return;
    }
    default: {
      if (id === undefined) return;
      if (now.do === 'touch') return void (await app.sessions.touch(caller, id));
      if (now.do === 'update') {
        await app.sessions.update(caller, id, { set: texts({ a: model.writes }) });
        model.sessions.set(id, (model.sessions.get(id) ?? 0) + 1);
        return;
      }
      await app.sessions.terminate(caller, id);
      model.sessions.delete(id);
      model.dead.add(id);
    }
  }
}

const diffOf = (then: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>) => {
  const both = [...then].filter(([name]) => now.has(name));
  return {
    created: then.size - both.length,
    changed: both.filter(([name, mark]) => now.get(name) !== mark).length,
    removed: [...now.keys()].filter((name) => !then.has(name)).length,
    same: both.filter(([name, mark]) => now.get(name) === mark).length,
  };
};

async function runOnce(app: App, first: readonly Step[], second: readonly Step[]): Promise<void> {
  const { caller, tenant } = await newTenant(app);
  const model: Model = { entries: new Map(), sessions: new Map(), dead: new Set(), writes: 0 };
  for (const one of first) await take(app, caller, model, one);
  const { checkpoint_id } = await checkpoint(app);
  const then = { entries: new Map(model.entries), sessions: new Map(model.sessions) };
  for (const one of second) await take(app, caller, model, one);
  for (const id of model.dead) then.sessions.delete(id);
  const expected = { cache: diffOf(then.entries, model.entries), sessions: diffOf(then.sessions, model.sessions) };
  const scope = { tenants: [tenant.id] };
  const dry = await restore(app, checkpoint_id as string, { ...scope, dryRun: true });
  expect(dry).toMatchObject({ dry_run: true, safety_checkpoint_id: null });
  expect(dry.tenants).toEqual([{ tenant_id: tenant.id, outcome: 'would_restore', ...expected }]);
  await restore(app, checkpoint_id as string, scope);
  const again = await restore(app, checkpoint_id as string, { ...scope, dryRun: true });
  const same = (size: number) => ({ created: 0, changed: 0, removed: 0, same: size });
  expect(again.tenants).toMatchObject([{ cache: same(then.entries.size), sessions: same(then.sessions.size) }]);
}

const RUNS: Record<Transport, number> = { tcp: 25, rest: 5 };

describe.each(TRANSPORTS)('a dry run, over %s [K3 A13]', (transport) => {
  it('counts what a restore would do, exactly', { timeout: 120_000 }, async () => {
    const { app } = await stateApp({ transport });
    const steps = fc.array(step, { minLength: 3, maxLength: 15 });
    await fc.assert(
      fc.asyncProperty(steps, steps, (first, second) => runOnce(app, first, second)),
      { numRuns: Number(process.env.RIPTIDE_RUNS ?? RUNS[transport]), endOnFailure: true },
    );
  });

  it('leaves out what would have expired, and sessions that were ended', async () => {
    const { app } = await stateApp({ transport });
    const { caller, tenant } = await newTenant(app);
    await app.cache.set(caller, named('short'), { value: Buffer.from('v'), meta: META, ttlMs: 400 });
    await app.cache.set(caller, named('long'), { value: Buffer.from('v'), meta: META });
    const short = await app.sessions.create(caller, { userId: 'ada', ttlMs: 1_000, data: texts({ a: 1 }) });
    const ended = await app.sessions.create(caller, { userId: 'ada', data: texts({ a: 1 }) });
    const { checkpoint_id } = await checkpoint(app);
    await app.sessions.terminate(caller, ended.id);
    await letExpire(app, tenant.id, short.id);
    await expect.poll(() => app.cache.get(caller, named('short')), { timeout: 5_000 }).toBe(null);
    await expect.poll(async () => Date.now() > short.expiresAtMs, { timeout: 5_000 }).toBe(true);
    const { tenants } = await restore(app, checkpoint_id as string, { dryRun: true });
    const nothing = { created: 0, changed: 0, removed: 0, same: 0 };
    expect(tenants).toMatchObject([{ cache: { ...nothing, same: 1 }, sessions: nothing }]);
  });

  it('changes nothing in Redis nor in S3', async () => {
    const { app } = await stateApp({ transport });
    for (const encryption of [false, true]) {
      const { caller } = await newTenant(app, { encryption });
      await app.cache.set(caller, named('k'), { value: Buffer.from('then'), meta: META });
      await app.sessions.create(caller, { userId: 'ada', data: texts({ a: 1 }) });
    }
    const { checkpoint_id } = await checkpoint(app);
    const before = await dumpOf(app);
    await restore(app, checkpoint_id as string, { dryRun: true });
    expect(await dumpOf(app)).toEqual(before);
  });
});
