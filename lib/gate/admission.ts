/** What a caller is told of its limits, and the headers that say it (draft-ietf-httpapi-ratelimit-headers-10). */
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

/** @throws {RangeError} not written by a script. */
export function unpackAdmission(text: string): Admission {
  const numbers = text.split(',').map(Number);
  if (numbers.length !== 6) throw new RangeError('Not an admission');
  const [burst, burstLeft, burstResetMs, perMinute, minuteLeft, minuteResetMs] = numbers as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  // Limits that were lowered may be behind what was used before.
  const [burstFree, minuteFree] = [Math.max(0, burstLeft), Math.max(0, minuteLeft)];
  return { burst, burstLeft: burstFree, burstResetMs, perMinute, minuteLeft: minuteFree, minuteResetMs };
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
