/** How a tenant's sessions are to be treated: what the tenant chose, within what the deployment has. Pure. */
import type { Config } from '../config/config.ts';
import type { TenantContext } from '../gate/context-format.ts';

export interface SessionSettings {
  /** Idle lifetime of a session that names none; at most `maxLifetimeMs`. */
  readonly timeoutMs: number;
  /** From its creation, however often it is used; never longer than the deployment's. */
  readonly maxLifetimeMs: number;
  /** Data of one session. */
  readonly maxBytes: number;
  /** Part of what they may hold of Redis above which sessions are moved to S3. */
  readonly thresholdRatio: number;
  /** What the tenant's sessions may hold of Redis at most; null: it chose nothing, and its share of the budget decides. */
  readonly maxHotBytes: number | null;
}

/** Choices are held to the deployment here, not where they are made: it may have been set otherwise since. */
export function sessionSettings(
  { sessions }: Pick<TenantContext, 'sessions'>,
  config: Pick<Config, 'sessions' | 'spillover'>,
): SessionSettings {
  const { timeout_seconds, max_lifetime_seconds, spill_threshold_ratio, max_hot_bytes = null } = sessions;
  const maxLifetimeMs = Math.min(config.sessions.maxLifetimeMs, msOf(max_lifetime_seconds) ?? Number.POSITIVE_INFINITY);
  return {
    timeoutMs: Math.min(maxLifetimeMs, msOf(timeout_seconds) ?? config.sessions.timeoutMs),
    maxLifetimeMs,
    maxBytes: config.sessions.maxBytes,
    thresholdRatio: spill_threshold_ratio ?? config.spillover.thresholdRatio,
    maxHotBytes: max_hot_bytes,
  };
}

/** Thousandths, as scripts take them. */
export const fillOf = (ratio: number): number => Math.floor(ratio * 1_000);

const msOf = (seconds: number | undefined) => (seconds === undefined ? undefined : seconds * 1_000);
