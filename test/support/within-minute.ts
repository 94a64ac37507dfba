import type { App } from '../../lib/app.ts';
import { redisTimeMs } from './redis-time.ts';

/** Runs `work` within one minute of Redis' clock: again, when it failed and the minute had ended meanwhile. */
export async function withinMinute(app: Pick<App, 'redis'>, work: () => Promise<void>): Promise<void> {
  const minute = async () => Math.floor((await redisTimeMs(app)) / 60_000);
  for (let tries = 0; tries < 3; tries++) {
    const before = await minute();
    const failed = await work().then(
      () => null,
      (error: unknown) => error ?? new Error('failed'),
    );
    if (failed === null) return;
    if ((await minute()) === before) throw failed;
  }
  throw new Error('Minutes passed faster than the test');
}
