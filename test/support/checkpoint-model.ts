/**
 * Checkpoints beside what is done to the data of some tenants: ended, ended in their middle by a kill, begun again and given up.
 * Whatever was done in between, one that is written while nothing else is done says what Redis has.
 */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { App } from '../../lib/app.ts';
import { namedObjects } from '../../lib/checkpoints/format/manifest.ts';
import type { CheckpointOrder, WriterCursor } from '../../lib/checkpoints/writing/checkpoint-writer.ts';
import { newCheckpointId, newUlid } from '../../lib/ids.ts';
import { checkpointDataBlob } from '../../lib/keys.ts';
import type { FailpointHook } from '../../lib/redis/failpoints.ts';
import { newTenant, type Transport } from './app.ts';
import { auditTenant } from './audit-tenant.ts';
import { type DataPlace, type DataStep, dataStep, takeDataStep } from './checkpoint-steps.ts';
import { checkpointView, expectCheckpointEquals, livingAt, redisView, stateToolsOn } from './checkpoint-view.ts';
import { KilledError } from './random-faults.ts';
import { redisTimeMs } from './redis-time.ts';
import { stateApp } from './state-app.ts';

const KEPT = 3;
const TENANTS = 3;
const NEVER = new AbortController().signal;

const named = <const Name extends string>(name: Name) => fc.constant(name);
const modelStep = fc.oneof(
  { weight: 30, arbitrary: fc.record({ do: named('data'), tenant: fc.nat(TENANTS - 1), step: dataStep }) },
  { weight: 3, arbitrary: fc.record({ do: named('checkpoint') }) },
  // Of one that is not ended at once: others write in between.
  { weight: 2, arbitrary: fc.record({ do: named('begin') }) },
  { weight: 5, arbitrary: fc.record({ do: named('step'), pages: fc.nat(3) }) },
  // Its cursor is lost, as when who took the step ended before it was saved.
  { weight: 1, arbitrary: fc.record({ do: named('step in vain'), pages: fc.nat(6) }) },
  { weight: 2, arbitrary: fc.record({ do: named('step, killed'), calls: fc.nat(14), pages: fc.nat(6) }) },
);
type ModelStep = typeof modelStep extends fc.Arbitrary<infer S> ? S : never;

export interface CheckpointModelOptions {
  readonly transport: Transport;
  readonly runs: number;
  readonly stepsPerRun: number;
  readonly seed: number;
}

/** @returns how often what was done. @throws at the first checkpoint that says something else; its seed is told. */
export async function runCheckpointModel({ transport, runs, stepsPerRun, seed }: CheckpointModelOptions) {
  const counts: Record<string, number> = {};
  const steps = fc.array(modelStep, { minLength: stepsPerRun, maxLength: stepsPerRun, size: 'max' });
  const outcome = await fc.check(
    fc.asyncProperty(steps, (all) => runOnce(transport, all, counts)),
    // Real time passes in it, so that a smaller run is another run.
    { numRuns: runs, seed, endOnFailure: process.env.RIPTIDE_SHRINK === undefined },
  );
  if (!outcome.failed) return counts;
  if (process.env.RIPTIDE_SHRINK !== undefined) console.log(JSON.stringify(outcome.counterexample));
  throw new Error(`Run ${outcome.numRuns} of seed ${seed}`, { cause: outcome.errorInstance });
}

interface Kept {
  readonly id: string;
  readonly atMs: number;
  /** What was there, by tenant; null: others wrote meanwhile. */
  readonly views: ReadonlyMap<string, unknown> | null;
}

async function runOnce(transport: Transport, all: readonly ModelStep[], counts: Record<string, number>) {
  const env = {
    PERSISTENCE_CACHE_INLINE_MAX_BYTES: '500',
    PERSISTENCE_SPILLOVER_MAX_MEMORY_BYTES: '65536',
    PERSISTENCE_STATE_MAX_CHECKPOINTS: String(KEPT),
  };
  const { app, again } = await stateApp({ transport, env });
  let callsLeft = Number.POSITIVE_INFINITY;
  const failpoint: FailpointHook = () => {
    if (callsLeft-- <= 0) throw new KilledError('killed');
  };
  const victim = await again({ failpoint });
  const places = await newPlaces(app);
  const ids = places.map(({ caller }) => caller.tenantId);
  const tools = stateToolsOn(app);
  const kept: Kept[] = [];
  let open: { readonly order: CheckpointOrder; cursor: WriterCursor } | null = null;
  const count = (what: string) => {
    counts[what] = (counts[what] ?? 0) + 1;
  };

  const begin = async () => {
    const order: CheckpointOrder = {
      ...{ id: newCheckpointId(newUlid(Date.now())), type: 'manual', description: null },
      ...{ cache: true, tenants: null, configVersion: null },
    };
    return { order, cursor: await tools.writer.begin(order, NEVER) };
  };
  const ended = async ({ order, cursor }: NonNullable<typeof open>, views: Kept['views'], atMs: number) => {
    kept.push({ id: order.id, atMs, views });
    await tools.retirement.run({ runningSinceMs: cursor.startedAtMs }, NEVER);
    count('ended');
  };
  const step = async (with_: typeof tools, { order, cursor }: NonNullable<typeof open>, pages: number) => {
    let looks = pages;
    return with_.writer.step(order, cursor, { signal: NEVER, isOver: () => looks-- <= 0 });
  };

  const checkpoint = async () => {
    const one = await begin();
    while (one.cursor.phase !== 'done') one.cursor = await step(tools, one, 100);
    const manifest = await tools.writer.manifest(one.order.id);
    counts.records = (counts.records ?? 0) + (await expectCheckpointEquals(app, manifest, ids, trace(all)));
    const atMs = await redisTimeMs(app);
    const views = new Map<string, unknown>();
    for (const id of ids) views.set(id, livingAt(await redisView(app, id), atMs));
    await ended(one, views, atMs);
    counts.runs = Math.max(counts.runs ?? 0, ...manifest.tenants.map(({ runs }) => runs.length));
  };

  for (const now of all) {
    if (now.do === 'data') {
      await takeDataStep(app, places[now.tenant] as DataPlace, now.step as DataStep);
      count(now.step.do);
    } else if (now.do === 'checkpoint') {
      if (open !== null) count('given up');
      open = null;
      await checkpoint();
    } else if (now.do === 'begin') {
      if (open !== null) count('given up');
      open = await begin();
    } else if (open !== null && now.do === 'step') {
      open.cursor = await step(tools, open, now.pages);
      count(open.cursor.open.length > 0 ? 'step that leaves a tenant open' : 'step');
      if (open.cursor.phase === 'done') {
        await ended(open, null, 0);
        open = null;
      }
    } else if (open !== null && now.do === 'step in vain') {
      await step(tools, open, now.pages);
      count('step in vain');
    } else if (open !== null && now.do === 'step, killed') {
      const killed = stateToolsOn(victim);
      callsLeft = now.calls;
      const outcome = await step(killed, open, now.pages).catch((error: unknown) => error);
      callsLeft = Number.POSITIVE_INFINITY;
      if (outcome instanceof Error && !isKill(outcome)) throw outcome;
      count(outcome instanceof Error ? 'killed' : 'not killed');
    }
  }
  await checkpoint();
  for (const id of ids) await auditTenant(app, id);
  await expectKept(app, kept);
}

/** As a port, or who wraps what it throws, tells of it. */
const isKill = (error: unknown): boolean =>
  error instanceof KilledError || (error instanceof Error && isKill(error.cause));

const trace = (all: readonly ModelStep[]) => `a checkpoint of a run of ${all.length} steps`;

/** Plain with many entries, sealed, and of little memory: entries give way to others, and are moved to S3. */
async function newPlaces(app: App): Promise<readonly DataPlace[]> {
  const quotas = { operations_per_minute: 1_000_000 };
  const made = [
    await newTenant(app),
    await newTenant(app, { encryption: true }),
    await newTenant(app, { quotas: { ...quotas, memory_bytes: 20_000 } }),
  ];
  const meta = { content_type: 'text/plain' };
  for (const part of [0, 1, 2]) {
    const entries = Array.from({ length: 100 }, (_, i) => ({
      ...{ key: `many-${part}-${i}`, value: randomBytes(20), meta, ttlMs: null },
      graceMs: 0,
    }));
    await app.cache.setMany((made[0] as (typeof made)[number]).caller, 'a', entries);
  }
  return made.map(({ caller }) => ({ caller, sessions: [] }));
}

/** As many as are to be kept are, the newest of them; each says what it said when it was made, and S3 has all it names. */
async function expectKept(app: App, kept: readonly Kept[]): Promise<void> {
  const { store } = stateToolsOn(app);
  const ids = await store.ids();
  expect(ids.length).toBeLessThanOrEqual(KEPT);
  expect(ids).toContain(kept.at(-1)?.id);
  for (const id of ids) {
    const manifest = await store.getManifest(id);
    // One that was given up when its manifest stood is a checkpoint as others, and nobody knows what was there.
    const { atMs = 0, views = null } = kept.find((one) => one.id === id) ?? {};
    for (const line of manifest.tenants) {
      const view = await checkpointView(app, line);
      if (views !== null) expect(livingAt(view, atMs), 'a kept checkpoint').toEqual(views.get(line.tenant));
    }
    for (const { tenant, name } of namedObjects(manifest))
      expect(await app.blobs.head(checkpointDataBlob(tenant, name)), name).not.toBeNull();
  }
}
