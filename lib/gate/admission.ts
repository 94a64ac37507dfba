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
  /** Limits of the key's and of the route's own, where there are any. */
  readonly own: readonly OwnAdmission[];
}

export interface OwnAdmission {
  readonly name: 'key' | 'route';
  readonly perMinute: number;
  readonly burst: number;
  readonly burstLeft: number;
  readonly burstResetMs: number;
}

/** One operation in the limiter's unit: includes/open-gate.lua. */
const OPERATION = 60_000_000;

/**
 * The limits as a script tells them, from `at` on: level, operations this minute, now (ms), operations a minute, burst,
 * and the limits of the key's and the route's own.
 * @throws {RangeError} not written by a script.
 */
export function readAdmission(reply: readonly RedisReply[], at: number): Admission {
  const level = reply[at] as number;
  const nowMs = reply[at + 2] as number;
  const perMinute = Number(reply[at + 3]);
  const burst = Number(reply[at + 4]);
  if (!Number.isFinite(level + nowMs + perMinute + burst)) throw new RangeError('Not an admission');
  const minuteLeft = Math.max(0, perMinute - (reply[at + 1] as number));
  return {
    ...bucket(level, perMinute, burst),
    minuteLeft,
    minuteResetMs: 60_000 - (nowMs % 60_000),
    own: ownAdmissions(reply[at + 5]),
  };
}

/** Limits that were lowered may be behind what was used before. */
const bucket = (level: number, perMinute: number, burst: number) => ({
  perMinute,
  burst,
  burstLeft: Math.max(0, Math.floor((burst * OPERATION - level) / OPERATION)),
  burstResetMs: perMinute === 0 ? 0 : Math.ceil(level / perMinute / 1000),
});

/** `<key|route>,<level>,<operations a minute>,<burst>;` of each. */
function ownAdmissions(text: RedisReply | undefined): readonly OwnAdmission[] {
  if (typeof text !== 'string' || text === '') return [];
  return text
    .slice(0, -1)
    .split(';')
    .map((limit) => {
      const [name, level, perMinute, burst] = limit.split(',');
      return { name: name as 'key' | 'route', ...bucket(Number(level), Number(perMinute), Number(burst)) };
    });
}

/** `RateLimit` and `RateLimit-Policy`: the burst, which drains evenly, the minute, and limits of the key's or route's own. */
export function rateHeaders(admission: Admission): Readonly<Record<string, string>> {
  const { perMinute, minuteLeft, minuteResetMs, own } = admission;
  const buckets = [{ name: 'burst', ...admission }, ...own];
  const policies = buckets.map(({ name, burst, perMinute: rate }) => `"${name}";q=${burst};w=${windowOf(burst, rate)}`);
  const left = buckets.map(
    ({ name, burstLeft, burstResetMs }) => `"${name}";r=${burstLeft};t=${seconds(burstResetMs)}`,
  );
  return {
    'ratelimit-policy': [...policies, `"minute";q=${perMinute};w=60`].join(', '),
    ratelimit: [...left, `"minute";r=${minuteLeft};t=${seconds(minuteResetMs)}`].join(', '),
  };
}

/** Seconds in which a whole burst drains. */
const windowOf = (burst: number, perMinute: number) =>
  perMinute === 0 ? 60 : Math.max(1, Math.ceil((burst * 60) / perMinute));

const seconds = (ms: number) => Math.ceil(ms / 1000);
