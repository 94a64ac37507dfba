/** What happens to the sessions, one thing after the other; each is named in the picture of the memory. */
import { setTimeout as delay } from 'node:timers/promises';
import { demand, demandStatus } from '../../claims.ts';
import { allEnded, type Bounds } from '../../each-concurrently.ts';
import type { Stage } from '../stage.ts';
import type { MemoryMoment, ObjectFigures } from './figures.ts';
import { listSessionObjects } from './list-objects.ts';
import { toMoment } from './memory-history.ts';
import type { Portal } from './portal.ts';
import { listByTier, readSome, type Tier } from './read-by-tier.ts';
import { signOutEverywhere } from './sign-out.ts';
import type { Budget } from './spillover-look.ts';
import type { MemoryWatch } from './watch-memory.ts';

/** Calls under way at once, for each tenant. */
export const CONCURRENCY = 16;
/** Of each tenant. */
export const USERS = 20;
/** Of those, they sign out everywhere. */
export const LEAVING = 6;
/** Of each tier, read one at a time. */
const SAMPLE = 100;
const MAX_PASSES = 60;
/** A pass takes 20 s at most. */
const RUN_TIMEOUT_MS = 30_000;
const BUSY_MS = 500;

export interface Scene extends Stage {
  readonly portals: readonly [Portal, ...Portal[]];
  readonly watch: MemoryWatch;
  readonly budget: Budget;
}

export interface Played {
  /** Once all were there and the service was at rest. */
  readonly settled: MemoryMoment;
  readonly objects: ObjectFigures | null;
  /** Sessions of users that have left. */
  readonly signedOut: number;
  /** Sessions that were in S3, and are in Redis since they were read. */
  readonly cameBack: number;
}

/** @throws {BrokenClaimError} @throws the reason of the signal. */
export async function play(scene: Scene): Promise<Played> {
  const { portals, watch } = scene;
  watch.enter('begin');
  await onAll(scene, (portal, bounds) => portal.createAll(bounds));
  watch.enter('rest');
  const settled = await settle(scene);
  const objects = await listObjects(scene, settled);
  watch.enter('single reads');
  const tiers = await listByTier(portals[0], staying(0));
  await readSingly(scene, tiers, { hot: 'read, one at a time (Redis)', cold: 'read, one at a time (S3)' });
  watch.enter('read all');
  await onAll(scene, (portal, bounds) => portal.readAll(bounds));
  watch.enter('sign out');
  let signedOut = 0;
  for (const portal of portals)
    for (let user = 0; user < LEAVING; user++) signedOut += await signOutEverywhere(portal, `user-${user}`);
  watch.enter('come back');
  const cameBack = await bringBack(scene);
  await watch.look();
  return { settled: toMoment(settled), objects, signedOut, cameBack };
}

/** A user that does not leave. */
const staying = (n: number) => `user-${LEAVING + n}`;

/** Waits for the service to be below its threshold, and has it do at once what it does twice a minute. @throws {BrokenClaimError} */
async function settle({ cast, portals, watch, budget, signal }: Scene) {
  const most = budget.maxBytes * budget.thresholdRatio;
  let look = await watch.look();
  for (let pass = 0; look.hot_bytes > most && pass < MAX_PASSES; pass++) {
    signal.throwIfAborted();
    const run = await cast.admin.runSpillover({ timeoutMs: RUN_TIMEOUT_MS });
    demandStatus(run, 200, 'Move sessions to S3 now');
    // The schedule's own pass is under way, and does it.
    if (run.data.busy) await delay(BUSY_MS, undefined, { signal });
    look = await watch.look();
  }
  demand(look.hot_bytes <= most, `At rest sessions hold ${look.hot_bytes} bytes, above the threshold of ${most}`);
  const sum = portals.reduce((all, { count }) => all + count, 0);
  demand(
    look.hot + look.cold === sum,
    `${look.hot} hot and ${look.cold} cold sessions are not the ${sum} that were begun`,
  );
  return look;
}

async function listObjects({ service, portals }: Scene, { cold }: MemoryMoment): Promise<ObjectFigures | null> {
  if (service.bucket === null) return null;
  const ids = portals.map(({ tenant }) => tenant.id);
  const objects = await listSessionObjects(service.bucket, ids);
  // One that was restored or overtaken stays for a while.
  demand(objects.count >= cold, `S3 has ${objects.count} objects, and ${cold} sessions are there`);
  return objects;
}

async function readSingly(
  { portals: [portal], signal }: Scene,
  tiers: Readonly<Record<Tier, readonly number[]>>,
  names: Readonly<Partial<Record<Tier, string>>>,
): Promise<void> {
  for (const tier of ['hot', 'cold'] as const) {
    const operation = names[tier];
    if (operation !== undefined) await readSome(portal, tiers[tier], { max: SAMPLE, operation, signal });
  }
}

/** Reads cold sessions now that there is room. @returns how many of them are in Redis then. @throws {BrokenClaimError} */
async function bringBack(scene: Scene): Promise<number> {
  const [portal] = scene.portals;
  const before = await listByTier(portal, staying(1));
  await readSingly(scene, before, { cold: 'read, and brought back' });
  const after = await listByTier(portal, staying(1));
  const cold = new Set(before.cold);
  return after.hot.filter((n) => cold.has(n)).length;
}

/** All tenants at the same time. */
const onAll = ({ portals, signal }: Scene, work: (portal: Portal, bounds: Bounds) => Promise<void>): Promise<void> =>
  allEnded(portals.map((portal) => work(portal, { concurrency: CONCURRENCY, signal })));
