/** Many sessions under little memory: what hot ones ever held of it, how it is below the threshold again, and whether all are there. */
import type { App } from '../../../lib/app.ts';
import type { Caller } from '../../../lib/gate/caller.ts';
import { hostRuns } from '../../../lib/jobs/host-runs.ts';
import { startBucket } from '../bucket-env.ts';
import { measuredOnce } from '../measured-once.ts';
import { startOwnRedis } from '../own-redis.ts';
import { createRawTcp } from '../raw-clients.ts';
import { atMost, type Row, rowOf } from '../row.ts';
import { newSessionTenant } from '../session-fill.ts';
import { countDoubled, countMissing, type Written, writeAll } from '../session-load.ts';
import { watchHot } from '../session-watch.ts';
import type { Bench } from '../setup.ts';
import type { Suite } from '../suite.ts';

/** The same proportion: full, it takes minutes. */
const SIZES = {
  default: { sessions: 5_000, budgetBytes: 1_000_000 },
  full: { sessions: 100_000, budgetBytes: 20_000_000 },
} as const;
const TENANTS = 4;
const WRITERS = 8;
/** More are a miss, whatever they come to. */
const MAX_PASSES = 10;

export const sessionBudget: Suite = {
  name: 'session-budget',
  run: measuredOnce(measure),
};

async function measure(bench: Bench): Promise<readonly Row[]> {
  await using parts = new AsyncDisposableStack();
  const size = bench.isFull ? SIZES.full : SIZES.default;
  const memory = { PERSISTENCE_SPILLOVER_MAX_MEMORY_BYTES: String(size.budgetBytes) };
  const own = await startOwnRedis({ ...bench.env.tcp, ...(await startBucket(parts)), ...memory }, parts);
  parts.defer(passesAtOnce(own.app));
  const callers: Caller[] = [];
  for (let tenant = 0; tenant < TENANTS; tenant++) callers.push(await newSessionTenant(own.app));
  const looker = createRawTcp(own.app.config.redis);
  parts.defer(() => looker.disconnect());
  const watch = watchHot(
    own.app,
    looker,
    callers.map(({ tenantId }) => tenantId),
  );
  const written = await writeAll(own.app, callers, { total: size.sessions, writers: WRITERS });
  const left = await watch.look();
  const passes = await passesUntilUnder(own.app, watch.look);
  const missing = await countMissing(own.app, written.sessions);
  const { peakBytes, looks } = await watch.stop();
  const doubled = await countDoubled(own, callers, size.sessions);
  return rowsOf({ ...size, ...written, peakBytes, looks, left, passes, missing, doubled });
}

/** As a long-running host does: a request that finds the memory short has a pass run, one at a time. @returns ends that. */
function passesAtOnce({ spillPass }: App): () => Promise<void> {
  let running: Promise<unknown> | undefined;
  const unregister = hostRuns.register('spill-sessions', () => {
    running ??= spillPass.run().finally(() => {
      running = undefined;
    });
  });
  return async () => {
    unregister();
    await running;
  };
}

/** @returns passes it took. */
async function passesUntilUnder({ config, spillPass }: App, look: () => Promise<number>): Promise<number> {
  const { maxMemoryBytes, thresholdRatio } = config.spillover;
  let passes = 0;
  while ((await look()) > maxMemoryBytes * thresholdRatio && passes < MAX_PASSES) {
    // One that a request has begun is no pass of this count.
    if (!(await spillPass.run()).busy) passes++;
  }
  return passes;
}

interface Measured {
  readonly budgetBytes: number;
  readonly sessions: readonly Written[];
  readonly perSecond: number;
  /** Because S3 did not answer in time. */
  readonly refusals: number;
  /** Of a create, ms. */
  readonly p50: number;
  readonly p99: number;
  readonly peakBytes: number;
  readonly looks: number;
  /** When the writes had stopped. */
  readonly left: number;
  readonly passes: number;
  readonly missing: number;
  readonly doubled: number;
}

function rowsOf(all: Measured): readonly Row[] {
  const { budgetBytes, sessions, peakBytes, left } = all;
  const percent = (bytes: number) => (bytes * 100) / budgetBytes;
  const size = `${sessions.length.toLocaleString('en')} sessions of 4 KB under ${budgetBytes / 1_000_000} MB`;
  const row = (facts: Omit<Row, 'layer' | 'got' | 'spread'>, value: number) =>
    rowOf({ ...facts, layer: 'lib' }, [value]);
  return [
    row(
      {
        id: 'session-budget-peak',
        what: `${size}, ${TENANTS} tenants, ${WRITERS} writers: the most that hot ones ever held of it`,
        reach: atMost(100),
        unit: '%',
        detail: `${all.looks} looks; ${(percent(peakBytes) - 80).toFixed(1)} points above the threshold of 80 %`,
      },
      percent(peakBytes),
    ),
    row(
      {
        id: 'session-budget-passes',
        what: 'the same: passes until it is under the threshold, after the last write',
        reach: atMost(2),
        unit: 'passes',
        detail: `${percent(left).toFixed(1)} % before`,
      },
      all.passes,
    ),
    row(
      {
        id: 'session-budget-lost',
        what: 'the same: sessions lost, changed or doubled',
        reach: atMost(0),
        unit: 'sessions',
        detail: `${all.missing} not as written, ${all.doubled} stored other than once`,
      },
      all.missing + all.doubled,
    ),
    row(
      {
        id: 'session-budget-writes',
        what: 'the same: sessions created meanwhile',
        unit: 'ops/s',
        detail: `p50 ${all.p50.toFixed(1)} ms, p99 ${all.p99.toFixed(1)} ms; ${all.refusals} refused with 507`,
      },
      all.perSecond,
    ),
  ];
}
