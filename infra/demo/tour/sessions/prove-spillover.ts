/**
 * More sessions than Redis may hold: those used least recently are in S3, and nobody sees a difference but in time. What
 * the service says of its memory is looked at all the while.
 */
import { demandStatus } from '../../claims.ts';
import type { Progress } from '../../progress.ts';
import { createStopwatch } from '../../stopwatch.ts';
import { summariseTimes } from '../../summary.ts';
import { type Act, AMPLE_OPERATIONS, type Shown, type Stage } from '../stage.ts';
import type { SpillFigures } from './figures.ts';
import { movesOf, peakBytes, toMoments } from './memory-history.ts';
import { createPortal, type Portal, type PortalDeps } from './portal.ts';
import { CONCURRENCY, LEAVING, type Played, play, USERS } from './spill-scene.ts';
import type { Budget } from './spillover-look.ts';
import { documentBytes, readTexts } from './texts.ts';
import { watchMemory } from './watch-memory.ts';

const TENANTS = ['portal-1', 'portal-2'] as const;
/** Of the picture. */
const COLUMNS = 72;

export const proveSpillover: Act = {
  title: 'Sessions: more than Redis may hold',
  async run(stage) {
    const count = Math.ceil(stage.sessions / TENANTS.length);
    // Each is begun, and read back.
    const progress = stage.openProgress({ tenants: TENANTS, total: 2 * count });
    try {
      return await fill(stage, count, progress.advance);
    } finally {
      progress.stop();
    }
  },
};

/** @param count of each tenant. */
async function fill(stage: Stage, count: number, onSession: Progress['advance']): Promise<Shown> {
  const budget = await readBudget(stage);
  const texts = await readTexts(stage.documents);
  const stopwatch = createStopwatch();
  const portals = await openPortals(stage, { texts, count, users: USERS, stopwatch, onSession });
  const ids = portals.map(({ tenant }) => tenant.id);
  const watch = watchMemory(stage.cast.admin, ids, budget);
  const { settled, objects, ...played } = await play({ ...stage, portals, watch, budget }).finally(watch.stop);
  const looks = watch.looks();
  const spill: SpillFigures = {
    ...{ tenants: TENANTS.length, sessions: count * TENANTS.length, settled, objects },
    document_bytes: documentBytes(texts, count) * TENANTS.length,
    ...{ budget_bytes: budget.maxBytes, threshold_ratio: budget.thresholdRatio, peak_hot_bytes: peakBytes(looks) },
    moves: [movesOf(looks, 'spill'), movesOf(looks, 'restore')],
    operations: stopwatch.times().map(summariseTimes),
    memory: toMoments(looks, COLUMNS),
  };
  return { ...tell(spill, played), spill };
}

async function readBudget({ cast }: Stage): Promise<Budget> {
  const reply = await cast.admin.getSpillover();
  demandStatus(reply, 200, 'The session memory of the deployment');
  const { max_memory_bytes, threshold_ratio } = reply.data.budget;
  return { maxBytes: max_memory_bytes, thresholdRatio: threshold_ratio };
}

async function openPortals({ cast }: Stage, plan: Omit<PortalDeps, 'tenant'>): Promise<readonly [Portal, Portal]> {
  const open = async (name: string) =>
    createPortal({ ...plan, tenant: await cast.create({ name, plan: 'professional', quotas: AMPLE_OPERATIONS }) });
  return [await open(TENANTS[0]), await open(TENANTS[1])];
}

function tell(spill: SpillFigures, { signedOut, cameBack }: Pick<Played, 'signedOut' | 'cameBack'>): Shown {
  const { sessions, budget_bytes, document_bytes, peak_hot_bytes, objects, settled } = spill;
  const back = `All ${sessions} sessions came back equal, ${CONCURRENCY * TENANTS.length} readers at once`;
  const out =
    `${LEAVING} users of each tenant sign out everywhere but here: ${signedOut} sessions end, ` +
    'as the dry run said, and are not found any more';
  if (settled.cold === 0) {
    const why = `Sessions in S3: these ${sessions} fit into the ${budget_bytes} bytes this running service has for them`;
    return { shown: [back, out], notShown: [why] };
  }
  const hold =
    `${sessions} sessions with ${document_bytes} bytes of documents were never seen to take more than ${peak_hot_bytes} ` +
    `of the ${budget_bytes} bytes of Redis they may; at rest ${settled.hot} are hot, ${settled.cold} are in S3`;
  const listed = objects === null ? [] : [`S3 lists an object for each of the ${settled.cold} cold sessions`];
  const room =
    cameBack === 0
      ? []
      : [`Where others left there is room: ${cameBack} of the cold sessions are back in Redis once they were read`];
  const notShown = objects === null ? ['The objects of sessions: the S3 of this service is not known here'] : [];
  return { shown: [hold, ...listed, back, out, ...room], notShown };
}
