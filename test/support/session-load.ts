/** More sessions than there is memory for: written by many at once, moved to S3 in time, and all of them read again. */
import { expect } from 'vitest';
import type { App } from '../../lib/app.ts';
import { StorageFullError } from '../../lib/errors.ts';
import { hostRuns } from '../../lib/jobs/host-runs.ts';
import { newTenant, type TestTenant } from './app.ts';
import { auditRecords } from './audit-tenant.ts';
import { auditSessions } from './session-audit.ts';
import { sessionMemory } from './session-memory.ts';
import { collectObjects } from './spill-tools.ts';

export interface SessionLoad {
  readonly tenants: number;
  /** Of all tenants together. */
  readonly sessions: number;
  /** Data of each. */
  readonly bytes: number;
  readonly writers: number;
}

export interface SessionLoadReport {
  readonly createSeconds: number;
  readonly createdHot: number;
  readonly createdCold: number;
  /** Creations that were refused, and done again. */
  readonly refused: number;
  readonly samples: number;
  /** The most that was hot at any sample, as a part of the memory. */
  readonly peakRatio: number;
  /** Begun at once, because a write found the memory short. */
  readonly runsAtOnce: number;
  /** Passes from the last write on until all is below the threshold. */
  readonly passesToThreshold: number;
  readonly hotRatioThen: number;
  readonly readSeconds: number;
  readonly readCold: number;
}

const dataOf = (n: number, bytes: number) =>
  new Map([
    ['n', String(n)],
    ['text', JSON.stringify(`${n}:`.padEnd(bytes, 'abcdefghij klmnop '))],
  ]);

/**
 * @param apps share Redis, S3 and a key prefix of their own; writers are divided among them.
 * @throws when the memory is passed at any sample, or a session is lost, another, or there twice.
 */
export async function runSessionLoad(apps: readonly App[], load: SessionLoad): Promise<SessionLoadReport> {
  const [app] = apps as readonly [App, ...App[]];
  const { maxMemoryBytes, thresholdRatio } = app.config.spillover;
  const tenants = await Promise.all(Array.from({ length: load.tenants }, () => newTenant(app, { quotas: QUOTAS })));
  const passes = startPasses(app);
  const sampler = sampleMemory(app, tenants);
  const startedAt = performance.now();
  const written = await writeAll(apps, tenants, load);
  const createSeconds = (performance.now() - startedAt) / 1_000;
  const runsAtOnce = await passes.stop();
  let passesToThreshold = 0;
  while ((await hotOf(app, tenants)) > thresholdRatio * maxMemoryBytes && passesToThreshold < MAX_PASSES) {
    passesToThreshold++;
    expect(await app.spillPass.run()).toMatchObject({ busy: false, failed: 0 });
  }
  const hotRatioThen = (await hotOf(app, tenants)) / maxMemoryBytes;
  const readingAt = performance.now();
  const readCold = await readAll(apps, written.ids, load);
  const readSeconds = (performance.now() - readingAt) / 1_000;
  const { samples, peak } = await sampler.stop();
  await auditAll(app, tenants, load);
  const { ids: _ids, ...counts } = written;
  return {
    ...{ createSeconds, ...counts, samples, peakRatio: peak / maxMemoryBytes },
    ...{ runsAtOnce, passesToThreshold, hotRatioThen, readSeconds, readCold },
  };
}

const QUOTAS = {
  operations_per_minute: 60_000_000,
  memory_bytes: 4e9,
  storage_bytes: 4e9,
  data_transfer_bytes: 1e12,
};
const MAX_PASSES = 10;
const MAX_TRIES = 100;

const hotOf = async (app: App, tenants: readonly TestTenant[]): Promise<number> => {
  const { tenants: all } = await sessionMemory(app).look(tenants.map(({ tenant }) => tenant.id));
  return all.reduce((sum, { hotBytes }) => sum + hotBytes, 0);
};

/** As a long-running host has them: one at a time, at once when a write asks for it. */
function startPasses(app: App) {
  let under: Promise<unknown> | undefined;
  let runs = 0;
  const unregister = hostRuns.register('spill-sessions', () => {
    if (under !== undefined) return;
    runs++;
    under = app.spillPass.run().finally(() => {
      under = undefined;
    });
  });
  return {
    async stop(): Promise<number> {
      unregister();
      await under;
      return runs;
    },
  };
}

function sampleMemory(app: App, tenants: readonly TestTenant[]) {
  const ids = tenants.map(({ tenant }) => tenant.id);
  let running = true;
  let samples = 0;
  let peak = 0;
  const sampling = (async () => {
    while (running) {
      const { tenants: all, totalBytes, sumBytes } = await sessionMemory(app).look(ids);
      const hot = all.reduce((sum, { hotBytes }) => sum + hotBytes, 0);
      expect(hot).toBeLessThanOrEqual(totalBytes);
      expect(totalBytes).toBe(sumBytes);
      expect(totalBytes).toBeLessThanOrEqual(app.config.spillover.maxMemoryBytes);
      peak = Math.max(peak, hot);
      samples++;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  })();
  // What it finds is told when it is stopped.
  sampling.catch(() => {});
  return {
    async stop() {
      running = false;
      await sampling;
      return { samples, peak };
    },
  };
}

/** Several at once, each the next one there is. */
async function inParallel(
  apps: readonly App[],
  workers: number,
  count: number,
  work: (app: App, n: number) => Promise<void>,
) {
  let next = 0;
  const worker = async (app: App) => {
    while (next < count) await work(app, next++);
  };
  await Promise.all(Array.from({ length: workers }, (_none, i) => worker(apps[i % apps.length] as App)));
}

async function writeAll(
  apps: readonly App[],
  tenants: readonly TestTenant[],
  { sessions, bytes, writers }: SessionLoad,
) {
  const ids: { readonly of: TestTenant; readonly id: string }[] = [];
  const counts = { createdHot: 0, createdCold: 0, refused: 0 };
  const create = async (app: App, n: number) => {
    const of = tenants[n % tenants.length] as TestTenant;
    for (let tries = 0; ; tries++) {
      try {
        const { id, tier } = await app.sessions.create(of.caller, {
          userId: `user-${n % 100}`,
          data: dataOf(n, bytes),
        });
        if (tier === 'hot') counts.createdHot++;
        else counts.createdCold++;
        ids[n] = { of, id };
        return;
      } catch (error) {
        if (!(error instanceof StorageFullError) || tries > MAX_TRIES) throw error;
        counts.refused++;
      }
    }
  };
  await inParallel(apps, writers, sessions, create);
  return { ids, ...counts };
}

async function readAll(
  apps: readonly App[],
  ids: readonly { readonly of: TestTenant; readonly id: string }[],
  { bytes, writers }: SessionLoad,
): Promise<number> {
  let cold = 0;
  await inParallel(apps, writers, ids.length, async (app, n) => {
    const { of, id } = ids[n] as (typeof ids)[number];
    const found = await app.sessions.get(of.caller, id, { touch: false });
    if (found?.version !== 1 || !sameData(found.data, dataOf(n, bytes)))
      expect.fail(`session ${n} is another, or gone`);
    if (found.tier === 'cold') cold++;
  });
  return cold;
}

const sameData = (one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean =>
  one.size === other.size && [...one].every(([key, text]) => other.get(key) === text);

/** Nothing is there twice, and nothing is off. */
async function auditAll(app: App, tenants: readonly TestTenant[], { sessions }: SessionLoad): Promise<void> {
  for (const { tenant } of tenants) {
    const { s } = await auditRecords(app, tenant.id);
    expect(s).toBe(sessions / tenants.length);
    const objects = await collectObjects(app, tenant.id);
    const { spilled } = await auditSessions(app, tenant.id);
    expect(objects).toHaveLength(spilled);
  }
}
