/** Sessions moved to S3 beside PUTs of the same objects, and brought back by a read beside a GET and a script. */
import { randomUUID } from 'node:crypto';
import type { App } from '../../../lib/app.ts';
import type { Caller } from '../../../lib/gate/caller.ts';
import { startBucket } from '../bucket-env.ts';
import { startOwnRedis } from '../own-redis.ts';
import { createRawRest } from '../raw-clients.ts';
import { measureRounds } from '../rounds.ts';
import { atLeast, atMost, type Reach, type Row, rowOf } from '../row.ts';
import { startSessionTenant } from '../session-fill.ts';
import { callTogether, objectOf, placeOf, type RawObjects, rawObjects, spillToolsOf } from '../session-moves.ts';
import { rawFieldsOf, SHAPE, sessionOf } from '../session-shape.ts';
import { startRestEndpoint } from '../setup.ts';
import { startApp } from '../start-app.ts';
import { median, percentile, ratiosOf } from '../statistics.ts';
import type { Suite } from '../suite.ts';

const MEMORY = { PERSISTENCE_SPILLOVER_MAX_MEMORY_BYTES: '1GB' };
/** As many as a batch has. */
const AT_ONCE = 10;
const BATCHES = 12;
const A_ROUND = AT_ONCE * BATCHES;
const ROUNDS = 12;
const SESSIONS = A_ROUND * (ROUNDS + Math.ceil(ROUNDS / 3));
/** Brought back on each side in a round, one after the other. */
const RESTORES = 24;
const IDLE_MS = 86_400_000;

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

/** As a program without Riptide would put a session back: it is there whole, and ends by itself. */
const RAW_RESTORE = `
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
return redis.call('PEXPIRE', KEYS[1], ARGV[1])`;

interface Restores {
  readonly transport: 'tcp' | 'rest';
  /** Of the row beside the steps of a restore alone. */
  readonly reach?: Reach;
  readonly app: App;
  readonly caller: Caller;
  /** Of sessions in S3; each comes back once. */
  readonly ids: Iterator<string>;
  readonly raw: RawObjects;
  /** {@link RAW_RESTORE} by its hash. */
  evalRaw(key: string, args: readonly (string | number)[]): Promise<unknown>;
  /** The HGETALL that says that it is not there. */
  missRaw(key: string): Promise<unknown>;
}

/** Ours begins with the read that finds out where the session is; raw is shown with such a read, and without. */
async function restoreRows(restores: Restores): Promise<readonly Row[]> {
  const theirs = await rawRestore(restores);
  const read = async (turn: number) => {
    await restores.missRaw(`bench:raw:none-${turn}`);
    await theirs(turn);
  };
  const sides = { ours: ourRestore(restores), raw: theirs, read };
  const p50 = await measureRounds(sides, { rounds: ROUNDS }, async (restore) => {
    const times: number[] = [];
    for (let turn = 0; turn < RESTORES; turn++) {
      const startedAt = performance.now();
      await restore(turn);
      times.push(performance.now() - startedAt);
    }
    return percentile(times, 0.5) * 1_000;
  });
  const { transport, reach } = restores;
  const row = (id: string, what: string, raw: readonly number[], judged: { readonly reach?: Reach }) =>
    rowOf(
      {
        id: `session-restore-${transport}-${id}`,
        layer: 'lib',
        what,
        ...judged,
        unit: '×',
        detail: `${median(p50.ours).toFixed(0)} vs ${median(raw).toFixed(0)} µs; ${SHAPE}, 1 KB`,
      },
      ratiosOf(p50.ours, raw),
    );
  const ours = `Read that brings a session back from S3, ${transport.toUpperCase()}`;
  return [
    row(
      'p50',
      `${ours}, vs raw GetObject and a script that sets the hash, p50`,
      p50.raw,
      reach === undefined ? {} : { reach },
    ),
    row('read-p50', 'the same vs raw HGETALL, GetObject and that script, p50', p50.read, {}),
  ];
}

function ourRestore({ app, caller, ids }: Restores) {
  return async () => {
    const session = await app.sessions.get(caller, ids.next().value as string);
    if (session?.tier !== 'cold') throw new Error('The session was not in S3');
  };
}

/** Its objects are JSON as it is. */
async function rawRestore({ raw, evalRaw }: Restores) {
  const fields = JSON.stringify(rawFieldsOf(sessionOf(1)));
  const objects = Array.from({ length: RESTORES }, (_, i) => `bench/raw/session-${i}`);
  for (const key of objects) await raw.put(key, Buffer.from(fields));
  return async (turn: number) => {
    const found = JSON.parse((await raw.get(objects[turn] as string)).toString()) as Record<string, string>;
    await evalRaw(`bench:raw:session-${turn}`, [IDLE_MS, ...Object.entries(found).flat()]);
  };
}
