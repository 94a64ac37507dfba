/**
 * One pass over all tenants that have part of the memory of hot sessions: the coldest sessions go to S3 until all are below the
 * threshold, each tenant below its own; what shares have too much is taken back; and while there is plenty of memory, what was
 * moved last comes back. Every step may be the last one: the next pass goes on. Two at once come to the same.
 */
import type { Config } from '../../../config/config.ts';
import { isStoreFull } from '../../../errors.ts';
import { fairLevel } from '../../../fair-level.ts';
import type { Keys } from '../../../keys.ts';
import type { Telemetry } from '../../../metrics/telemetry.ts';
import type { RedisDriver } from '../../../redis/driver.ts';
import type { SessionBudget } from '../budget/session-budget.ts';
import type { LatelyPrefetch } from './lately-prefetch.ts';
import { withLease } from './pass-lease.ts';
import type { PassTenant, PassTenants } from './pass-tenants.ts';
import { type PassTime, passTime } from './pass-time.ts';
import type { ShareLowering } from './share-lowering.ts';
import { ownBytesOf } from './spill-policy.ts';
import type { SpillRounds } from './spill-rounds.ts';
import { packSpillSum, sumUp } from './spill-stats-format.ts';

/** Bytes, and sessions where nothing else is said. */
export interface SpillReport {
  /** Looked at. */
  readonly tenants: number;
  /** Tenants whose gate cannot be read: the log names them. */
  readonly unreadable: number;
  /** Of all tenants, before and after. */
  readonly hotBytesBefore: number;
  readonly hotBytes: number;
  readonly thresholdBytes: number;
  readonly budgetBytes: number;
  readonly spilled: number;
  /** They were charged. */
  readonly freedBytes: number;
  /** Not moved: used, changed or moved by others meanwhile, or no room for them in S3. */
  readonly passedOver: number;
  /** Tenants whose sessions could not be moved: the log says why. */
  readonly failed: number;
  /** Shares. */
  readonly lowered: number;
  /** Brought back before they were asked for. */
  readonly restored: number;
  /** S3 did not answer: what was to be moved is where it was. */
  readonly storeFailed: boolean;
  /** Another pass is under way: this one has done nothing. */
  readonly busy: boolean;
  /** False: there is more to do, for the next pass. */
  readonly finished: boolean;
}

/** One pass goes on for so long: then the next begins with what is coldest by then, ms. */
const MAX_MS = 20_000;

export type SpillPass = ReturnType<typeof createSpillPass>;

export function createSpillPass(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly config: Pick<Config, 'spillover'>;
  readonly tenants: Pick<PassTenants, 'readAll'>;
  readonly budget: Pick<SessionBudget, 'totalGranted'>;
  readonly rounds: SpillRounds;
  readonly lowering: ShareLowering;
  readonly prefetch: LatelyPrefetch;
  readonly telemetry: Pick<Telemetry, 'count'>;
  /** By a clock that never goes back, ms. */
  readonly nowMs: () => number;
  /** Unix ms; only tells when. */
  readonly now: () => number;
}) {
  const { redis, keys, config, budget, rounds, lowering, prefetch, telemetry, nowMs, now } = deps;
  /** Of the configuration as it is at the moment: another may come while this runs. */
  const limits = () => {
    const { maxMemoryBytes: budgetBytes, thresholdRatio } = config.spillover;
    return { budgetBytes, thresholdBytes: Math.floor(budgetBytes * thresholdRatio) };
  };

  const nothing = (): SpillReport => ({
    ...{ tenants: 0, unreadable: 0, hotBytesBefore: 0, hotBytes: 0, ...limits() },
    ...{ spilled: 0, freedBytes: 0, passedOver: 0, failed: 0, lowered: 0, restored: 0 },
    ...{ storeFailed: false, busy: false, finished: true },
  });

  const spill = async (tenants: readonly PassTenant[], poolIsEmpty: boolean, dry: boolean, time: PassTime) => {
    const hot = tenants.map(({ hotBytes }) => hotBytes);
    const { thresholdBytes } = limits();
    return rounds.run({
      ...{ tenants, thresholdBytes, dry, time },
      fairBytes: fairLevel(hot, thresholdBytes) ?? Number.POSITIVE_INFINITY,
      ownBytes: (tenant) => ownBytesOf(tenant, { poolIsEmpty }),
    });
  };

  /** What requests are told of all tenants, as of now. */
  const sum = async (tenants: readonly PassTenant[], { signal }: PassTime): Promise<void> => {
    const all = sumUp(tenants, now());
    telemetry.count('riptide_session_active_total', all.sessions);
    telemetry.count('riptide_session_memory_bytes', all.hotBytes);
    const text = packSpillSum(all);
    await redis.send(['SET', keys.spillStats(), text], { kind: 'write', signal }).catch((error: unknown) => {
      // They stay as they were told last.
      if (!isStoreFull(error)) throw error;
    });
  };

  const pass = async (dry: boolean, time: PassTime): Promise<SpillReport> => {
    const { tenants, unreadable } = await deps.tenants.readAll(time.signal);
    const hotBytesBefore = sumOf(tenants);
    const poolIsEmpty = lowering.isEmpty(await budget.totalGranted(time.signal));
    const spilled = await spill(tenants, poolIsEmpty, dry, time);
    const report = { ...nothing(), tenants: tenants.length, unreadable, hotBytesBefore, ...spilled };
    if (dry) return { ...report, hotBytes: sumOf(tenants), finished: !time.isOver() };

    const restored = spilled.storeFailed ? 0 : await prefetch.run(tenants, time);
    const lowered = await lowering.run(tenants, { poolIsEmpty, mayMove: !spilled.storeFailed }, time);
    const storeFailed = spilled.storeFailed || lowered.storeFailed;
    const moved = spilled.spilled + lowered.spilled;
    const after = moved + restored > 0 ? (await deps.tenants.readAll(time.signal)).tenants : tenants;
    await sum(after, time);
    return {
      ...{ ...report, restored, storeFailed },
      spilled: moved,
      lowered: lowered.lowered,
      hotBytes: sumOf(after),
      finished: !storeFailed && !time.isOver(),
    };
  };

  return {
    /**
     * Runs one pass, 20 seconds at most; ends early when `signal` aborts. With `dry` it changes nothing, and tells what would be
     * moved to S3. @throws as RedisDriver.send; what was done is done.
     */
    async run({
      dry = false,
      signal,
    }: {
      readonly dry?: boolean;
      readonly signal?: AbortSignal;
    } = {}): Promise<SpillReport> {
      const time = passTime(MAX_MS, nowMs, signal);
      if (dry) return pass(true, time);
      const report = await withLease({ redis, keys, nowMs }, () => pass(false, time), signal);
      return report ?? { ...nothing(), busy: true, finished: false };
    },
  };
}

const sumOf = (tenants: readonly { readonly hotBytes: number }[]): number =>
  tenants.reduce((total, { hotBytes }) => total + hotBytes, 0);
