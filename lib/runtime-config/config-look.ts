/**
 * How an instance learns of another configuration: it looks at what is active while it serves a request, not before it, every
 * two seconds at most. Only one that looked longer ago than a change may take (a thawed Lambda) makes a request wait for it.
 */
import type { Keys } from '../keys.ts';
import type { RedisDriver } from '../redis/driver.ts';

export type ConfigLook = ReturnType<typeof createConfigLook>;

/** From one look to the next. */
const EVERY_MS = 2_000;
/** A configuration this old may not serve: with what a look takes it is less than 5 s. */
const TOO_OLD_MS = 4_500;
/** How long a request waits for a look; then it is served by the configuration there is. */
const PATIENCE_MS = 250;
/** The same at a cold start, where Redis is connected to. */
const START_PATIENCE_MS = 1_000;
/** One under way this long is not waited for: after a freeze its connection may be dead. */
const STUCK_MS = 1_000;

export interface ConfigLookDeps {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly isOn: () => boolean;
  /** Takes what is active, as it is stored. Throws what must be tried again. */
  readonly apply: (text: string | null, signal?: AbortSignal) => Promise<void>;
  /** Of a clock that never goes back, and goes on during a freeze. */
  readonly nowMs: () => number;
}

export function createConfigLook({ redis, keys, isOn, apply, nowMs }: ConfigLookDeps) {
  let applied: string | null = null;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let startedAtMs = Number.NEGATIVE_INFINITY;
  let underWay: Promise<void> | undefined;
  let latest = 0;

  const look = async (signal?: AbortSignal): Promise<void> => {
    const turn = ++latest;
    const atMs = nowMs();
    startedAtMs = atMs;
    const text = await redis.send(['GET', keys.configActive()], { kind: 'read', signal });
    // A later look knows better.
    if (turn !== latest) return;
    if (text !== applied) await apply(text as string | null, signal);
    applied = text as string | null;
    lookedAtMs = atMs;
  };

  /** Never throws: who fails here is served by the configuration there is. */
  const begin = (): Promise<void> => {
    const mine: Promise<void> = look()
      .catch(() => {})
      .finally(() => {
        if (underWay === mine) underWay = undefined;
      });
    underWay = mine;
    return mine;
  };

  return {
    /** Before a request: nothing to wait for, or what to wait for, which never throws. */
    beforeRequest(): Promise<void> | undefined {
      const ageMs = nowMs() - lookedAtMs;
      if (ageMs < EVERY_MS || !isOn()) return undefined;
      const sinceMs = nowMs() - startedAtMs;
      // Where Redis does not answer, not every request asks, and not every one waits: one look a second, for 250 ms of it.
      const flight = sinceMs < STUCK_MS ? underWay : begin();
      const isWorthIt = ageMs >= TOO_OLD_MS && nowMs() - startedAtMs < PATIENCE_MS;
      return isWorthIt && flight !== undefined ? within(flight, PATIENCE_MS) : undefined;
    },

    /** At a cold start, whether or not changes are taken later. @returns whether another configuration was taken. */
    async atStart(): Promise<boolean> {
      await within(begin(), START_PATIENCE_MS);
      return applied !== null;
    },

    /** Before work that lasts: a schedule looks first. Never throws. */
    refresh: (): Promise<void> => (isOn() ? within(begin(), START_PATIENCE_MS) : Promise.resolve()),

    /** Looks now. @throws as RedisDriver.send, or what applying it throws. */
    now: (signal?: AbortSignal): Promise<void> => look(signal),
  };
}

async function within(flight: Promise<void>, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([flight, promise]);
  clearTimeout(timer);
}
