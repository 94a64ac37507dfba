/** Starts one Redis of the local stack, on the loopback only. */
import { resolve } from 'node:path';
import { LocalServiceError } from '../../../lib/errors.ts';
import { redisPidAt } from './ask-redis.ts';
import { claimDataDir } from './data-dir-claim.ts';
import { findRedisServer, type RedisServer } from './find-redis.ts';
import { freePort } from './free-port.ts';
import { pollUntil } from './poll-until.ts';
import { type RedisProcess, spawnRedis } from './redis-process.ts';

const HOST = '127.0.0.1';
/** Long enough to load gigabytes of append-only file. */
const READY_DEADLINE_MS = 60_000;
const PORT_TRIES = 5;

export interface StartRedisOptions {
  /** Its data, log (`redis.log`, of the last start) and claim. One Redis at a time. */
  readonly dir: string;
  /** 0 or absent: a free one. */
  readonly port?: number;
  /** Append-only file under `dir`, fsynced every second. Without it everything ends with the process. */
  readonly appendonly: boolean;
  /** Appended to the command line, as in `['--maxmemory', '100mb']`. */
  readonly extraArgs?: readonly string[];
  /** Default: what {@link findRedisServer} finds. */
  readonly server?: RedisServer;
}

export interface RunningRedis {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** Writes what it holds and ends it; SIGKILL after 10 s. May be called again. */
  stop(): Promise<void>;
}

/**
 * Starts Redis and waits until it answers. It ignores Ctrl-C, so that its owner can flush before calling `stop`.
 * @throws {LocalServiceError} there is no server, `dir` is in use, or it did not start; then its last log lines are in
 * the message.
 */
export async function startRedis(options: StartRedisOptions): Promise<RunningRedis> {
  const dir = resolve(options.dir);
  const server = options.server ?? (await findRedisServer());
  const claim = await claimDataDir(dir);
  try {
    const { port, child } = await startOnSomePort({ ...options, dir, server });
    await claim.record({ pid: child.pid, port });
    const stop = async () => {
      await child.stop();
      await claim.release();
    };
    return { url: `redis://${HOST}:${port}`, host: HOST, port, pid: child.pid, stop };
  } catch (error) {
    await claim.release();
    throw error;
  }
}

type Start = StartRedisOptions & { readonly server: RedisServer };

/** A free port may be taken by another process before Redis binds it; then the next one is tried. */
async function startOnSomePort(start: Start): Promise<{ port: number; child: RedisProcess }> {
  const wanted = start.port ?? 0;
  for (let tries = 1; ; tries++) {
    const port = wanted === 0 ? await freePort() : wanted;
    const child = await spawnRedis({ server: start.server, dir: start.dir, args: serverArguments(start, port) });
    if (await becomesReady(child, port)) return { port, child };
    await child.stop();
    const log = await child.lastLogLines();
    const isTaken = wanted === 0 && /Address already in use/.test(log);
    if (!isTaken || tries === PORT_TRIES) throw new LocalServiceError(`Redis did not start on port ${port}:\n${log}`);
  }
}

/** Ready is when this very process answers PING: another Redis may sit on the port. */
async function becomesReady(child: RedisProcess, port: number): Promise<boolean> {
  const answers = () =>
    redisPidAt({ host: HOST, port }).then(
      (pid) => pid === child.pid,
      () => false,
    );
  const settled = await pollUntil(async () => child.hasExited() || (await answers()), READY_DEADLINE_MS);
  return settled && !child.hasExited();
}

function serverArguments(start: Start, port: number): string[] {
  const files = [
    '--dir',
    start.dir,
    '--save',
    '',
    '--appendonly',
    start.appendonly ? 'yes' : 'no',
    '--appendfsync',
    'everysec',
  ];
  return ['--bind', HOST, '--port', String(port), '--daemonize', 'no', ...files, ...(start.extraArgs ?? [])];
}
