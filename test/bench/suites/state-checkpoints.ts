/** Checkpoints of everything beside loops that only read Redis and write S3, and reads meanwhile. */
import { randomUUID } from 'node:crypto';
import { bareCheckpoint, type ReadPage, readByDump, readByMget } from '../bare-checkpoint.ts';
import { createRawTcp } from '../raw-clients.ts';
import { measureRounds } from '../rounds.ts';
import { atLeast, atMost, type Row, rowOf } from '../row.ts';
import { rawObjects } from '../session-moves.ts';
import {
  forgetCheckpoints,
  makeCheckpoint,
  NAMESPACE,
  nameOf,
  type StateService,
  startState,
} from '../state-service.ts';
import { median, percentile, ratiosOf } from '../statistics.ts';
import type { Suite } from '../suite.ts';

const RECORDS = { default: 40_000, full: 200_000 } as const;
const ROUNDS = { rounds: 3 } as const;
const FOREGROUND_ROUNDS = { rounds: 3 } as const;
const PATTERN = `*:c:${NAMESPACE}:*`;

/** Writes all there is, once. */
type Whole = () => Promise<unknown>;

export const stateCheckpoints: Suite = {
  name: 'state-checkpoints',
  async run(bench) {
    await using parts = new AsyncDisposableStack();
    const records = bench.isFull ? RECORDS.full : RECORDS.default;
    const state = await startState(bench, { records }, parts);
    const sides = await sidesOf(state, parts);
    return [...(await rateRows(sides, records)), await foregroundRow(state, sides)];
  },
};

async function sidesOf({ app, records }: StateService, parts: AsyncDisposableStack) {
  const redis = createRawTcp(app.config.redis);
  parts.defer(() => redis.disconnect());
  const objects = await rawObjects(app);
  const bare = (read: ReadPage) => async () => {
    const written = await bareCheckpoint(redis, { pattern: PATTERN, prefix: `bare/${randomUUID()}/`, read, objects });
    if (written.records !== records) throw new Error(`${written.records} of ${records} records were found`);
  };
  const ours = async () => {
    await forgetCheckpoints(app);
    const made = await makeCheckpoint(app);
    if (made.cache_entries !== records) throw new Error(`${made.cache_entries} of ${records} records were written`);
  };
  return { ours, mget: bare(readByMget(redis)), dump: bare(readByDump(redis)) };
}

type Sides = Readonly<Record<'ours' | 'mget' | 'dump', Whole>>;

async function rateRows(sides: Sides, records: number): Promise<readonly Row[]> {
  const rates = await measureRounds(sides, ROUNDS, async (side) => (records * 1_000) / (await msOf(side)));
  const facts = { layer: 'lib', unit: '×' } as const;
  const beside = (other: 'mget' | 'dump') =>
    `${thousands(median(rates.ours))} vs ${thousands(median(rates[other]))} records a second; ${records.toLocaleString('en')} entries of 1 KB, 4 tenants`;
  return [
    rowOf(
      {
        ...facts,
        id: 'state-checkpoint-mget',
        what: 'Checkpoint of all entries vs a bare SCAN + MGET + LZ4 loop to the same S3, TCP, records per second',
        reach: atLeast(0.35),
        detail: beside('mget'),
      },
      ratiosOf(rates.ours, rates.mget),
    ),
    rowOf(
      {
        ...facts,
        id: 'state-checkpoint-dump',
        what: 'the same vs SCAN + DUMP + PTTL + LZ4',
        reach: atLeast(1.2),
        detail: beside('dump'),
      },
      ratiosOf(rates.ours, rates.dump),
    ),
  ];
}

const thousands = (value: number): string => `${(value / 1_000).toFixed(1)}k`;

async function msOf(work: Whole): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** Reads one after the other while a side does its work, in the same process. */
async function foregroundRow({ app, callers }: StateService, { ours, mget }: Sides): Promise<Row> {
  const [caller] = callers as readonly [StateService['callers'][number]];
  let turn = 0;
  const read = async () => {
    turn = (turn + 7_919) % 1_000;
    if ((await app.cache.get(caller, { namespace: NAMESPACE, key: nameOf(turn) })) === null)
      throw new Error('An entry is gone');
  };
  const p99 = await measureRounds({ ours, mget }, FOREGROUND_ROUNDS, (side) => p99Beside(side, read));
  return rowOf(
    {
      id: 'state-checkpoint-foreground-p99',
      layer: 'lib',
      what: 'Reads of 1 KB while a checkpoint is written vs while the SCAN + MGET + LZ4 loop runs, one process, TCP, p99',
      reach: atMost(1.25),
      unit: '×',
      detail: `${median(p99.ours).toFixed(0)} vs ${median(p99.mget).toFixed(0)} µs`,
    },
    ratiosOf(p99.ours, p99.mget),
  );
}

/** µs. */
async function p99Beside(side: Whole, read: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  let goesOn = true;
  const work = side().finally(() => {
    goesOn = false;
  });
  // Told at the end.
  work.catch(() => {});
  while (goesOn) times.push((await msOf(read)) * 1_000);
  await work;
  return percentile(times, 0.99);
}
