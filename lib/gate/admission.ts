/** What a caller is told of its limits, and the headers that say it (draft-ietf-httpapi-ratelimit-headers-10). */
import type { RedisReply } from '../redis/driver.ts';

export interface Admission {
  /** Calls that may come at once, and how many of them may come now. */
  readonly burst: number;
  readonly burstLeft: number;
  /** Until the burst is whole again. */
  readonly burstResetMs: number;
  readonly perMinute: number;
  readonly minuteLeft: number;
  readonly minuteResetMs: number;
}

/** One operation in the limiter's unit: includes/open-gate.lua. */
const OPERATION = 60_000_000;

/**
 * The limits as a script tells them, from `at` on: level, operations this minute, now (ms), operations a minute, burst.
 * @throws {RangeError} not written by a script.
 */
export function readAdmission(reply: readonly RedisReply[], at: number): Admission {
  const level = reply[at] as number;
  const nowMs = reply[at + 2] as number;
  const perMinute = Number(reply[at + 3]);
  const burst = Number(reply[at + 4]);
  if (!Number.isFinite(level + nowMs + perMinute + burst)) throw new RangeError('Not an admission');
  const burstResetMs = perMinute === 0 ? 0 : Math.ceil(level / perMinute / 1000);
  // Limits that were lowered may be behind what was used before.
  const burstLeft = Math.max(0, Math.floor((burst * OPERATION - level) / OPERATION));
  const minuteLeft = Math.max(0, perMinute - (reply[at + 1] as number));
  return { burst, burstLeft, burstResetMs, perMinute, minuteLeft, minuteResetMs: 60_000 - (nowMs % 60_000) };
}

/** `RateLimit` and `RateLimit-Policy`: the burst, which drains evenly, and the minute. */
export function rateHeaders(admission: Admission): Readonly<Record<string, string>> {
  const { burst, burstLeft, burstResetMs, perMinute, minuteLeft, minuteResetMs } = admission;
  const burstWindow = perMinute === 0 ? 60 : Math.max(1, Math.ceil((burst * 60) / perMinute));
  return {
    'ratelimit-policy': `"burst";q=${burst};w=${burstWindow}, "minute";q=${perMinute};w=60`,
    ratelimit: `"burst";r=${burstLeft};t=${seconds(burstResetMs)}, "minute";r=${minuteLeft};t=${seconds(minuteResetMs)}`,
  };
}

const seconds = (ms: number) => Math.ceil(ms / 1000);
