/**
 * Where the Redis server of the local stack comes from: PATH, else Debian's package in `.cache/`, else a clear error.
 * Nothing is installed on the machine.
 */
import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LocalServiceError } from '../../../lib/errors.ts';
import { unpackDebianRedis } from './unpack-debian-redis.ts';

const run = promisify(execFile);
const PROGRAMS = ['redis-server', 'valkey-server'];
/** CLUSTER ADDSLOTSRANGE and multi-part AOF begin here. */
const OLDEST_MAJOR = 7;

/** A server program that runs on this machine. */
export interface RedisServer {
  readonly path: string;
  /** Value for LD_LIBRARY_PATH, when the program needs libraries that were unpacked beside it. */
  readonly libraryPath?: string;
  readonly source: 'path' | 'cache';
}

export interface FindRedisOptions {
  /** Folder to unpack into and to find again what was unpacked. Default: `.cache` of this repository. */
  readonly cacheDir?: string;
  /** Where installed servers are looked for, as in PATH. Default: PATH. */
  readonly searchPath?: string;
  /** Told before one is downloaded, which takes seconds. */
  readonly onUnpack?: () => void;
}

/**
 * Finds a Redis or Valkey server of version 7 or later, and has run it once with `--version`. Two processes may look at
 * the same time. The first time on a machine without one it downloads about 1.3 MB, with apt-get and without root.
 * @throws {LocalServiceError} there is none and none can be unpacked; the message says what to install.
 */
export async function findRedisServer(options: FindRedisOptions = {}): Promise<RedisServer> {
  const { searchPath = process.env.PATH ?? '', onUnpack } = options;
  const cacheDir = options.cacheDir ?? fileURLToPath(new URL('../../../.cache', import.meta.url));
  const installed = await findInstalled(searchPath);
  if (installed !== null) return installed;
  try {
    return { ...(await unpackDebianRedis({ dir: join(cacheDir, 'redis'), isUsable, onUnpack })), source: 'cache' };
  } catch (cause) {
    throw new LocalServiceError(whatToDo(cause), { cause });
  }
}

async function findInstalled(searchPath: string): Promise<RedisServer | null> {
  for (const folder of searchPath.split(delimiter)) {
    for (const program of PROGRAMS) {
      const path = join(folder, program);
      if (folder !== '' && (await isUsable({ path }))) return { path, source: 'path' };
    }
  }
  return null;
}

/** True when the program starts and is new enough: a file alone may lack its libraries or be of another machine. */
async function isUsable(server: { readonly path: string; readonly libraryPath?: string }): Promise<boolean> {
  try {
    await access(server.path, constants.X_OK);
    const { stdout } = await run(server.path, ['--version'], { env: serverEnvironment(server), timeout: 10_000 });
    return Number(/ v=(\d+)\./.exec(stdout)?.[1]) >= OLDEST_MAJOR;
  } catch {
    return false;
  }
}

/** The environment a server found here is started with. */
export function serverEnvironment(server: { readonly libraryPath?: string }): NodeJS.ProcessEnv {
  return server.libraryPath === undefined ? process.env : { ...process.env, LD_LIBRARY_PATH: server.libraryPath };
}

function whatToDo(cause: unknown): string {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return [
    `No Redis ${OLDEST_MAJOR} or later was found on PATH, and Debian's package could not be unpacked: ${reason}`,
    'Do one of these, then run the command again:',
    '  Debian, Ubuntu: sudo apt-get install redis-server    Fedora: sudo dnf install valkey    macOS: brew install redis',
    '  or set REDIS_URL to a running Redis, as in REDIS_URL=redis://127.0.0.1:6379',
  ].join('\n');
}
