/** Runs of steps beside the history of sessions, over real servers: who goes on at each call of Redis or S3 a scheduler decides. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { App } from '../../lib/app.ts';
import { newUlid } from '../../lib/ids.ts';
import type { FailpointHook } from '../../lib/redis/failpoints.ts';
import { newTenant, type Transport, testApp } from './app.ts';
import { auditRecords } from './audit-tenant.ts';
import { randomOf } from './random-numbers.ts';
import { auditSessions } from './session-audit.ts';
import { checkSession } from './session-history.ts';
import { sessionMemory } from './session-memory.ts';
import { createSessionRun, type SessionStep, sessionStep } from './session-steps.ts';
import { collectObjects, doomedSessions } from './spill-tools.ts';

/** So little that sessions have to give way to others. */
const MEMORY_BYTES = 65_536;
const ACTORS = 8;
/** So many calls are late, by so many turns at most. */
const LATE_ONE_IN = 12;
const MAX_LATE = 40;
/** Calls between two looks at the memory. */
const LOOK_EVERY = 25;

export interface ModelOptions {
  readonly transport: Transport;
  readonly runs: number;
  readonly stepsPerRun: number;
  readonly seed: number;
}

/** @returns how often what was done. @throws at the first run that nothing explains; its seed is told. */
export async function runSessionModel({ transport, runs, stepsPerRun, seed }: ModelOptions) {
  const counts: Record<string, number> = {};
  const steps = fc.array(sessionStep, { minLength: stepsPerRun, maxLength: stepsPerRun, size: 'max' });
  const outcome = await fc.check(
    fc.asyncProperty(fc.scheduler(), fc.nat(), steps, async (scheduler, chance, all) => {
      for (const [what, times] of Object.entries(await runOnce(transport, scheduler, randomOf(chance), all)))
        counts[what] = (counts[what] ?? 0) + times;
    }),
    // Real time passes in it, so that a smaller run is another run.
    { numRuns: runs, seed, endOnFailure: true },
  );
  // Not its steps: there are thousands.
  if (outcome.failed) throw new Error(`Run ${outcome.numRuns} of seed ${seed}`, { cause: outcome.errorInstance });
  return counts;
}

async function runOnce(
  transport: Transport,
  scheduler: fc.Scheduler,
  random: (below: number) => number,
  all: readonly SessionStep[],
) {
  const env = {
    PERSISTENCE_CACHE_KEY_PREFIX: `model-${newUlid(Date.now())}`,
    PERSISTENCE_SPILLOVER_MAX_MEMORY_BYTES: String(MEMORY_BYTES),
    PERSISTENCE_SPILLOVER_BATCH_SIZE: '3',
  };
  const direct = await testApp({ env });
  let calls = 0;
  /** Turns that others have before it, beyond those chance gives them: the time to move a session to S3 and back. */
  const lateBy = () => (random(LATE_ONE_IN) === 0 ? random(MAX_LATE) : 0);
  const failpoint: FailpointHook = async ({ name, phase }) => {
    if (phase === 'before')
      for (let turns = lateBy(); turns >= 0; turns--) await scheduler.schedule(Promise.resolve(), name);
    else if (calls++ % LOOK_EVERY === 0) await look();
  };
  const apps = await Promise.all(Array.from({ length: ACTORS }, () => testApp({ transport, env, failpoint })));
  const { caller } = await newTenant(direct, { encryption: false });
  const id = caller.tenantId;
  const look = async () => {
    const { tenants, totalBytes, sumBytes } = await sessionMemory(direct).look([id]);
    expect(tenants[0]?.hotBytes).toBeLessThanOrEqual(tenants[0]?.grantedBytes ?? 0);
    expect(totalBytes).toBe(sumBytes);
    expect(sumBytes).toBeLessThanOrEqual(MEMORY_BYTES);
  };
  const run = createSessionRun(caller, () => performance.timeOrigin + performance.now());
  const act = async (app: App, mine: readonly SessionStep[]) => {
    for (const step of mine) await run.take(app, step);
  };
  const actors = apps.map((app, n) =>
    act(
      app,
      all.filter((_step, i) => i % ACTORS === n),
    ),
  );
  await scheduler.waitFor(Promise.all(actors));

  await run.lookAll(direct);
  for (const { ulid, events } of run.sessions) checkSession(ulid, events, run.userEnds);
  await direct.cleanUp.run();
  await auditRecords(direct, id);
  const objects = await collectObjects(direct, id);
  const { spilled } = await auditSessions(direct, id);
  // Those of sessions that expired meanwhile.
  expect(objects).toHaveLength(spilled + (await doomedSessions(direct, id)).length);
  await Promise.all([...apps, direct].map((app) => app.close()));
  return run.counts;
}
