/** Redis for as long as the stack runs: when it dies, it is started again on the same port, with what its log holds. */
import { findRedisServer } from './redis/find-redis.ts';
import { type RunningRedis, startRedis } from './redis/start-redis.ts';

/** How often Redis is looked for, and how long to wait after a start that failed. */
const CHECK_MS = 200;
const RETRY_MS = 2_000;
const ANY_PORT = 0;

export interface SupervisedRedis {
  /** Stays the same when Redis is started again. */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts Redis with an append-only file under `dir`, and watches it. `onNotice` is told when one is
 * unpacked first, when it died and when it is back.
 * @throws {LocalServiceError} the first start failed.
 */
export async function superviseRedis(options: {
  readonly dir: string;
  readonly onNotice: (text: string) => void;
}): Promise<SupervisedRedis> {
  const { dir, onNotice } = options;
  const onUnpack = () => onNotice("No Redis on PATH: unpacking Debian's package into .cache/, this once …");
  const start = async (port: number) =>
    startRedis({ dir, port, server: await findRedisServer({ onUnpack }), appendonly: true });
  let redis: RunningRedis = await start(ANY_PORT);
  const { url, port } = redis;
  let isStopping = false;
  let restarting: Promise<void> | undefined;
  let timer = setTimeout(check, CHECK_MS);

  function check(): void {
    if (isAlive(redis.pid)) {
      timer = setTimeout(check, CHECK_MS);
      return;
    }
    onNotice('Redis has died; starting it again');
    restarting = restart();
  }

  async function restart(): Promise<void> {
    try {
      await redis.stop();
      redis = await start(port);
      onNotice('Redis is back');
      timer = setTimeout(check, CHECK_MS);
    } catch (error) {
      onNotice(`Redis does not start again: ${error instanceof Error ? error.message : String(error)}`);
      if (!isStopping) timer = setTimeout(check, RETRY_MS);
    }
    // Stopped meanwhile: `stop` has cleared the timer before this one was set.
    if (isStopping) clearTimeout(timer);
  }

  return {
    url,
    async stop() {
      isStopping = true;
      clearTimeout(timer);
      await restarting;
      await redis.stop();
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
