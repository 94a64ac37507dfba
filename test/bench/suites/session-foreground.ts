/** Reads while sessions are moved to S3 in the same process, beside the same reads while a client of S3 writes as many objects. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { App } from '../../../lib/app.ts';
import type { Caller } from '../../../lib/gate/caller.ts';
import { startBucket } from '../bucket-env.ts';
import { startOwnRedis } from '../own-redis.ts';
import { measureRounds } from '../rounds.ts';
import { atMost, rowOf } from '../row.ts';
import { startSessionTenant } from '../session-fill.ts';
import { callTogether, objectOf, placeOf, rawObjects, spillToolsOf } from '../session-moves.ts';
import { SHAPE, sessionOf } from '../session-shape.ts';
import { median, percentile, ratiosOf } from '../statistics.ts';
import type { Suite } from '../suite.ts';

const MEMORY = { PERSISTENCE_SPILLOVER_MAX_MEMORY_BYTES: '1GB' };
const HOT = 1_000;
const MOVED = 6_000;
const BATCH = 10;
const ROUNDS = { rounds: 9, blockMs: 300 } as const;

export const sessionForeground: Suite = {
  name: 'session-foreground',
  async run(bench) {
    await using parts = new AsyncDisposableStack();
    const env = { ...bench.env.tcp, ...(await startBucket(parts)), ...MEMORY };
    const { app } = await startOwnRedis(env, parts);
    const hot = await startSessionTenant(app, { sessions: HOT });
    const moved = await startSessionTenant(app, { sessions: MOVED });
    const read = reads(app, hot.caller, await hot.fill(0, HOT));
    await moved.fill(0, MOVED);
    const { batches, ...sides } = await loadsOf(app, moved.caller);
    const p99 = await measureRounds(sides, ROUNDS, (load, blockMs) => p99Beside(load, read, blockMs));
    const rate = (median(batches) * BATCH * 1_000) / ROUNDS.blockMs;
    return [
      rowOf(
        {
          id: 'session-spill-foreground-p99',
          layer: 'lib',
          what: 'Reads of hot sessions while others are moved to S3 vs while a raw PutObject loop writes as many, one process, TCP, p99',
          reach: atMost(1.25),
          unit: '×',
          detail: `${median(p99.spill).toFixed(0)} vs ${median(p99.raw).toFixed(0)} µs, ${median(p99.none).toFixed(0)} µs beside nothing; ${rate.toFixed(0)} objects a second; ${SHAPE}, 1 KB`,
        },
        ratiosOf(p99.spill, p99.raw),
      ),
    ];
  },
};

/** Works until the time, Unix ms of a clock that never goes back. */
type Load = (untilMs: number) => Promise<void>;

/** As fast as batches can be moved; and as many batches of the same bytes, at even distances. */
async function loadsOf(app: App, caller: Caller) {
  const { spiller } = spillToolsOf(app);
  const raw = await rawObjects(app);
  const object = await objectOf(caller, sessionOf(1));
  /** Of each round. */
  const batches: number[] = [];
  const spill: Load = async (untilMs) => {
    let moved = 0;
    while (performance.now() < untilMs) {
      const { spilled } = await spiller.spillTo(placeOf(caller), 0, { maxBatches: 1 });
      if (spilled !== BATCH) throw new Error('There were too few sessions to move');
      moved++;
    }
    batches.push(moved);
  };
  const put = () => callTogether(BATCH, BATCH, () => raw.put(`bench/raw/${randomUUID()}`, object));
  const puts: Load = async (untilMs) => {
    const startedAt = performance.now();
    const count = batches.at(-1) as number;
    const under: Promise<void>[] = [];
    for (let batch = 0; batch < count; batch++) {
      await delay(Math.max(0, startedAt + ((untilMs - startedAt) * batch) / count - performance.now()));
      under.push(put());
    }
    await Promise.all(under);
  };
  const nothing: Load = (untilMs) => delay(untilMs - performance.now());
  return { batches, spill, raw: puts, none: nothing };
}

/** One read after the other meanwhile. @returns µs. */
async function p99Beside(load: Load, read: () => Promise<void>, blockMs: number): Promise<number> {
  const times: number[] = [];
  const untilMs = performance.now() + blockMs;
  const loaded = load(untilMs);
  for (let startedAt = performance.now(); startedAt < untilMs; ) {
    await read();
    const endedAt = performance.now();
    times.push(endedAt - startedAt);
    startedAt = endedAt;
  }
  await loaded;
  return percentile(times, 0.99) * 1_000;
}

/** Each call is of the next session. */
function reads({ sessions }: App, caller: Caller, ids: readonly string[]) {
  let turn = 0;
  return async () => {
    const session = await sessions.get(caller, ids[turn++ % ids.length] as string);
    if (session?.tier !== 'hot') throw new Error('The session was moved');
  };
}
