/** Many entries: what a process needs to make a checkpoint of them, and what the next one costs when few of them changed. */
import { fileURLToPath } from 'node:url';
import { runProcess } from '../child-process.ts';
import { countCommands } from '../command-stats.ts';
import { measuredOnce } from '../measured-once.ts';
import { atMost, type Row, rowOf } from '../row.ts';
import type { Bench } from '../setup.ts';
import { startApp } from '../start-app.ts';
import { changeEntries, forgetCheckpoints, makeCheckpoint, type StateService, startState } from '../state-service.ts';
import { median } from '../statistics.ts';
import type { Suite } from '../suite.ts';
import { createTripCounter } from '../trip-counter.ts';

const RECORDS = { default: 100_000, full: 1_000_000 } as const;
const MEASURED = 3;
/** One of so many changes. */
const UNCHANGED = 100;
/** What the function that runs jobs has in its environment: infra/functions.yml. */
const AS_DEPLOYED = { NODE_OPTIONS: '--max-semi-space-size=8' };
const PROCESS = fileURLToPath(new URL('../processes/checkpoint-peak.ts', import.meta.url));

export const stateScale: Suite = {
  name: 'state-scale',
  run: measuredOnce(measure),
};

async function measure(bench: Bench): Promise<readonly Row[]> {
  await using parts = new AsyncDisposableStack();
  const records = bench.isFull ? RECORDS.full : RECORDS.default;
  const state = await startState(bench, { records }, parts);
  return [await memoryRow(state), ...(await incrementalRows(state, parts))];
}

interface Peak {
  readonly idleBytes: number;
  readonly peakBytes: number;
  readonly ms: number;
}

async function memoryRow({ env, records }: StateService): Promise<Row> {
  const { idleBytes, peakBytes, ms } = (await runProcess({
    file: PROCESS,
    env: { ...env, ...AS_DEPLOYED },
    patienceMs: 600_000,
  })) as Peak;
  const mb = (bytes: number) => bytes / 1_048_576;
  return rowOf(
    {
      id: 'state-checkpoint-memory',
      layer: 'lib',
      what: `Checkpoint of ${records.toLocaleString('en')} entries of 1 KB: resident memory at its peak, over idle`,
      reach: atMost(256),
      unit: 'MB',
      detail: `${mb(idleBytes).toFixed(0)} MB idle, ${mb(peakBytes).toFixed(0)} MB at the peak; ${(ms / 1_000).toFixed(1)} s, a process of its own`,
    },
    [mb(peakBytes - idleBytes)],
  );
}

/** What a checkpoint took. */
interface Cost {
  readonly ms: number;
  readonly bytes: number;
  /** Calls of Redis, those inside scripts included. */
  readonly commands: number;
  readonly objects: number;
}

async function incrementalRows(state: StateService, parts: AsyncDisposableStack): Promise<readonly Row[]> {
  const trips = createTripCounter();
  const app = await startApp(state.env, { parts, failpoint: trips.failpoint });
  const cost = async (): Promise<Cost> => {
    let [ms, bytes, objects] = [0, 0, 0];
    const counts = await countCommands(state.redis, async () => {
      const startedAt = performance.now();
      const { result, trips: made } = await trips.count(() => makeCheckpoint(app));
      ms = performance.now() - startedAt;
      bytes = Number(result.new_bytes);
      objects = made.blobs;
    });
    return { ms, bytes, objects, commands: [...counts.values()].reduce((sum, { calls }) => sum + calls, 0) };
  };
  const [whole, part]: [Cost[], Cost[]] = [[], []];
  for (let turn = 0; turn < MEASURED; turn++) {
    await forgetCheckpoints(app);
    whole.push(await cost());
    await changeEntries(state, { every: UNCHANGED, turn });
    part.push(await cost());
  }
  return rowsOf(whole, part, state.records);
}

function rowsOf(whole: readonly Cost[], part: readonly Cost[], records: number): readonly Row[] {
  const row = (name: keyof Cost, id: string, what: string, text: (value: number) => string) => {
    const of = (costs: readonly Cost[]) => median(costs.map((cost) => cost[name]));
    return rowOf(
      {
        id: `state-incremental-${id}`,
        layer: 'lib',
        what,
        reach: atMost(5),
        unit: '%',
        detail: `${text(of(part))} vs ${text(of(whole))}`,
      },
      part.map((cost, turn) => (cost[name] * 100) / (whole[turn] as Cost)[name]),
    );
  };
  const size = records.toLocaleString('en');
  const bytes = (value: number) => `${(value / 1_048_576).toFixed(2)} MB`;
  const calls = (value: number) => value.toLocaleString('en');
  const { objects } = part.at(-1) as Cost;
  return [
    row(
      'ms',
      'time',
      `Checkpoint where 1 % of ${size} entries changed vs one of all: time`,
      (ms) => `${ms.toFixed(0)} ms`,
    ),
    row('bytes', 'bytes', 'the same: bytes written', bytes),
    row('commands', 'commands', 'the same: calls of Redis, inside scripts and outside', calls),
    rowOf(
      {
        id: 'state-incremental-objects',
        layer: 'lib',
        what: 'the same: calls of S3',
        unit: 'calls',
        detail: `${whole.at(-1)?.objects} for one of all`,
      },
      [objects],
    ),
  ];
}
