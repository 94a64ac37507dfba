/** Sessions moved to S3 beside PUTs of the same objects, and brought back by a read beside a GET and a script. */
import { randomUUID } from 'node:crypto';
import type { App } from '../../../lib/app.ts';
import type { Caller } from '../../../lib/gate/caller.ts';
import { startBucket } from '../bucket-env.ts';
import { startOwnRedis } from '../own-redis.ts';
import { createRawRest } from '../raw-clients.ts';
import { measureRounds } from '../rounds.ts';
import { atLeast, atMost, type Row, rowOf } from '../row.ts';
import { startSessionTenant } from '../session-fill.ts';
import { callTogether, objectOf, placeOf, type RawObjects, rawObjects, spillToolsOf } from '../session-moves.ts';
import { SHAPE, sessionOf } from '../session-shape.ts';
import { startRestEndpoint } from '../setup.ts';
import { startApp } from '../start-app.ts';
import { median, ratiosOf } from '../statistics.ts';
import type { Suite } from '../suite.ts';
import { RAW_RESTORE, restoreRows } from './session-restores.ts';

const MEMORY = { PERSISTENCE_SPILLOVER_MAX_MEMORY_BYTES: '1GB' };
/** As many as a batch has. */
const AT_ONCE = 10;
const BATCHES = 12;
const A_ROUND = AT_ONCE * BATCHES;
const ROUNDS = 12;
const SESSIONS = A_ROUND * (ROUNDS + Math.ceil(ROUNDS / 3));
export const sessionSpill: Suite = {
  name: 'session-spill',
  async run(bench) {
    await using parts = new AsyncDisposableStack();
    const bucket = await startBucket(parts);
    const own = await startOwnRedis({ ...bench.env.tcp, ...bucket, ...MEMORY }, parts);
    const { app } = own;
    const { caller, fill } = await startSessionTenant(app, { sessions: SESSIONS });
    const ids = await fill(0, SESSIONS);
    const raw = await rawObjects(app);
    const rate = await spillRow(app, caller, raw);
    const sha1 = (await own.redis.script('LOAD', RAW_RESTORE)) as string;
    const rest = { ...bench.env.rest, ...(await startRestEndpoint(own.url, parts)), ...bucket, ...MEMORY };
    const restApp = await startApp(rest, { parts });
    const rawRest = createRawRest(restApp.config.redis);
    const cold = { caller, raw, ids: ids.values() };
    const tcp = {
      transport: 'tcp',
      reach: atMost(1.25),
      app,
      evalRaw: (key: string, args: readonly (string | number)[]) => own.redis.evalsha(sha1, 1, key, ...args),
      missRaw: (key: string) => own.redis.hgetall(key),
    } as const;
    const overRest = {
      transport: 'rest',
      app: restApp,
      evalRaw: (key: string, args: readonly (string | number)[]) => rawRest.evalsha(sha1, [key], [...args]),
      missRaw: (key: string) => rawRest.hgetall(key),
    } as const;
    return [rate, ...(await restoreRows({ ...cold, ...tcp })), ...(await restoreRows({ ...cold, ...overRest }))];
  },
};

async function spillRow(app: App, caller: Caller, raw: RawObjects): Promise<Row> {
  const { spiller } = spillToolsOf(app);
  const object = await objectOf(caller, sessionOf(1));
  const ours = async () => {
    const { spilled } = await spiller.spillTo(placeOf(caller), 0, { maxBatches: BATCHES });
    if (spilled !== A_ROUND) throw new Error(`${spilled} of ${A_ROUND} sessions were moved`);
  };
  const theirs = () => callTogether(A_ROUND, AT_ONCE, () => raw.put(`bench/raw/${randomUUID()}`, object));
  const rates = await measureRounds({ ours, raw: theirs }, { rounds: ROUNDS }, async (side) => {
    const startedAt = performance.now();
    await side();
    return (A_ROUND * 1_000) / (performance.now() - startedAt);
  });
  return rowOf(
    {
      id: 'session-spill-rate',
      layer: 'lib',
      what: `Sessions moved to S3 in batches of ${AT_ONCE} vs raw PutObject of the same bytes, ${AT_ONCE} at a time`,
      reach: atLeast(0.8),
      unit: '×',
      detail: `${median(rates.ours).toFixed(0)} vs ${median(rates.raw).toFixed(0)} a second; ${SHAPE}, 1 KB, ${object.length} bytes packed`,
    },
    ratiosOf(rates.ours, rates.raw),
  );
}
