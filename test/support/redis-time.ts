import type { App } from '../../lib/app.ts';

/** Redis' own time, Unix µs. */
export async function redisTimeUs(app: Pick<App, 'redis'>): Promise<bigint> {
  const [seconds, micros] = (await app.redis.send(['TIME'], { kind: 'read' })) as readonly [string, string];
  return BigInt(seconds) * 1_000_000n + BigInt(micros);
}

/** The same, Unix ms. */
export const redisTimeMs = async (app: Pick<App, 'redis'>): Promise<number> =>
  Number((await redisTimeUs(app)) / 1_000n);

/** Until Redis' clock has moved on. */
export async function passMs(app: Pick<App, 'redis'>): Promise<void> {
  for (const until = (await redisTimeMs(app)) + 2; (await redisTimeMs(app)) < until; );
}
