/**
 * Restores beside whatever is done to the data of some tenants, with nobody else writing: each tenant has what the checkpoint had,
 * but for what has expired and sessions that were ended since; the others keep what they have; nothing is off, nothing left over.
 */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { App } from '../../lib/app.ts';
import type { CheckpointRecord } from '../../lib/checkpoints/format/checkpoint-line.ts';
import { DOOMED_FOR_MS } from '../../lib/cleaning/doomed-objects.ts';
import type { TenantId } from '../../lib/ids.ts';
import { newTenant, type Transport } from './app.ts';
import { auditCache } from './cache-audit.ts';
import { letDoomedFallDue } from './cache-blobs.ts';
import { type DataPlace, type DataStep, dataStep, takeDataStep } from './checkpoint-steps.ts';
import { headerOf, livingAt, redisView, type View } from './checkpoint-view.ts';
import { listedGenerations } from './old-generation.ts';
import { redisTimeMs } from './redis-time.ts';
import { restore } from './restoring.ts';
import { checkpoint, stateApp } from './state-app.ts';
import { keysOf } from './tenant-state.ts';

const TENANTS = 3;
const KEPT = 4;

const named = <const Name extends string>(name: Name) => fc.constant(name);
const modelStep = fc.oneof(
  { weight: 30, arbitrary: fc.record({ do: named('data'), tenant: fc.nat(TENANTS - 1), step: dataStep }) },
  { weight: 3, arbitrary: fc.record({ do: named('checkpoint') }) },
  { weight: 3, arbitrary: fc.record({ do: named('restore'), which: fc.nat(9), only: fc.option(fc.nat(TENANTS - 1)) }) },
  { weight: 1, arbitrary: fc.record({ do: named('undo') }) },
  { weight: 2, arbitrary: fc.record({ do: named('clean') }) },
);
type ModelStep = typeof modelStep extends fc.Arbitrary<infer S> ? S : never;

export interface RestoreModelOptions {
  readonly transport: Transport;
  readonly runs: number;
  readonly stepsPerRun: number;
  readonly seed: number;
}

/** @returns how often what was done. @throws at the first thing that is not as it must be; its seed is told. */
export async function runRestoreModel({ transport, runs, stepsPerRun, seed }: RestoreModelOptions) {
  const counts: Record<string, number> = {};
  const steps = fc.array(modelStep, { minLength: stepsPerRun, maxLength: stepsPerRun, size: 'max' });
  const outcome = await fc.check(
    fc.asyncProperty(steps, (all) => runOnce(transport, all, counts)),
    { numRuns: runs, seed, endOnFailure: process.env.RIPTIDE_SHRINK === undefined },
  );
  if (!outcome.failed) return counts;
  if (process.env.RIPTIDE_SHRINK !== undefined) console.log(JSON.stringify(outcome.counterexample));
  throw new Error(`Run ${outcome.numRuns} of seed ${seed}`, { cause: outcome.errorInstance });
}

type Views = ReadonlyMap<TenantId, View>;

async function runOnce(transport: Transport, all: readonly ModelStep[], counts: Record<string, number>) {
  const env = {
    PERSISTENCE_CACHE_INLINE_MAX_BYTES: '500',
    PERSISTENCE_SPILLOVER_MAX_MEMORY_BYTES: '65536',
    PERSISTENCE_STATE_MAX_CHECKPOINTS: String(KEPT),
  };
  const { app } = await stateApp({ transport, env });
  const quotas = { operations_per_minute: 1_000_000 };
  const made = [
    await newTenant(app),
    await newTenant(app, { encryption: true }),
    await newTenant(app, { quotas: { ...quotas, memory_bytes: 20_000 } }),
  ];
  const places: DataPlace[] = made.map(({ caller }) => ({ caller, sessions: [] }));
  const ids = made.map(({ tenant }) => tenant.id as TenantId);
  const then = new Map<string, Views>();
  let undo: string | null = null;
  const count = (what: string) => {
    counts[what] = (counts[what] ?? 0) + 1;
  };

  const viewsNow = async (): Promise<Views> =>
    new Map(await Promise.all(ids.map(async (id) => [id, await redisView(app, id)] as const)));

  const bring = async (id: string, only: readonly TenantId[]) => {
    const before = await viewsNow();
    const result = await restore(app, id, { tenants: only });
    const after = await viewsNow();
    const nowMs = await redisTimeMs(app);
    for (const tenant of ids) {
      const wanted = only.includes(tenant) ? then.get(id) : before;
      const expected = await withoutEnded(app, tenant, seen(wanted?.get(tenant) as View, nowMs));
      expect(seen(after.get(tenant) as View, nowMs), 'after a restore').toEqual(expected);
      await auditCache(app, tenant);
      expect(await listedGenerations(app, tenant)).toEqual([]);
    }
    undo = result.undo_checkpoint_id;
    // The safety checkpoint has only those that were restored.
    for (const named_ of [result.safety_checkpoint_id, undo])
      if (named_ !== null) then.set(named_, new Map([...before].filter(([tenant]) => only.includes(tenant))));
  };

  for (const now of all) {
    if (now.do === 'data') {
      await takeDataStep(app, places[now.tenant] as DataPlace, now.step as DataStep);
      count(now.step.do);
    } else if (now.do === 'checkpoint') {
      const views = await viewsNow();
      then.set((await checkpoint(app)).checkpoint_id as string, views);
      count('checkpoint');
    } else if (now.do === 'clean') {
      for (const id of ids) await letDoomedFallDue(app, keysOf(app), id, (await redisTimeMs(app)) - DOOMED_FOR_MS);
      await app.cleanUp.run();
      count('clean');
    } else {
      const { items } = await app.checkpoints.list({ limit: 50 });
      const known = items.map(({ id }) => id).filter((id) => then.has(id));
      const id = now.do === 'undo' ? undo : known[now.which % Math.max(1, known.length)];
      if (id === undefined || id === null || !known.includes(id)) continue;
      const there = [...(then.get(id) as Views).keys()];
      const one = now.do === 'restore' && now.only !== null ? ids[now.only] : undefined;
      await bring(id, one === undefined ? there : there.includes(one) ? [one] : there);
      count(now.do);
    }
  }
  await expectOpen(app, places);
}

/** Those that live, as they are compared: of sessions the header, which says their version and data, wherever that is. */
function seen(view: View, nowMs: number): Readonly<Record<string, string>> {
  const text = (record: CheckpointRecord) =>
    record.kind === 'cache'
      ? record.stored.replace(/^((?:[^,]*,){6})\d+,/, '$1-,')
      : headerOf(record).replace(/^((?:[^,]*,){7})\d{8},/, '$1-,');
  return Object.fromEntries(Object.entries(livingAt(view, nowMs)).map(([order, record]) => [order, text(record)]));
}

async function withoutEnded(app: App, id: TenantId, records: Readonly<Record<string, string>>) {
  const dead = (await app.redis.send(['ZRANGE', keysOf(app).deadSessions(id), 0, -1], {
    kind: 'read',
  })) as readonly string[];
  const isDead = ([order, text]: readonly [string, string]) =>
    order.startsWith('s\0') && dead.includes(`${order.slice(-26)}-${text.split(',')[3]}`);
  return Object.fromEntries(Object.entries(records).filter((record) => !isDead(record)));
}

/** Every session that lives can be read, and every entry. */
async function expectOpen(app: App, places: readonly DataPlace[]): Promise<void> {
  for (const { caller, sessions } of places) {
    for (const id of sessions) await app.sessions.get(caller, id, { touch: false });
    for (const namespace of ['a', 'ab']) {
      for (const { key } of (await app.cache.list(caller, namespace)).items)
        expect(await app.cache.get(caller, { namespace, key }, { stale: true }), key).not.toBe(null);
    }
    await auditCache(app, caller.tenantId);
  }
}
