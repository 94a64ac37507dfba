/**
 * One Redis for one data folder: two would destroy each other's append-only file. The claim is a file in the folder that
 * names the process that owns the Redis, so that a Redis left behind by a killed owner is recognised and stopped.
 */
import { mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalServiceError } from '../../../lib/errors.ts';
import { askRedis, redisPidAt } from './ask-redis.ts';
import { pollUntil } from './poll-until.ts';

const STOP_DEADLINE_MS = 10_000;

interface Claim {
  readonly ownerPid: number;
  /** Absent until it runs. */
  readonly redis?: { readonly pid: number; readonly port: number };
}

export interface DataDirClaim {
  /** Notes which Redis uses the folder now. */
  record(redis: { readonly pid: number; readonly port: number }): Promise<void>;
  /** Gives the folder back. */
  release(): Promise<void>;
}

/**
 * Takes the folder for this process; makes it when it is not there. An orphaned Redis in it is stopped first, and writes
 * its data before it goes.
 * @throws {LocalServiceError} a Redis of a living process uses it.
 */
export async function claimDataDir(dir: string): Promise<DataDirClaim> {
  await mkdir(dir, { recursive: true });
  const file = join(dir, 'redis.claim.json');
  const write = (claim: Claim, flag: 'wx' | 'w') => writeFile(file, JSON.stringify(claim), { flag });
  try {
    await write({ ownerPid: process.pid }, 'wx');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    await endFormerUse(dir, file);
    await write({ ownerPid: process.pid }, 'w');
  }
  return {
    record: (redis) => write({ ownerPid: process.pid, redis }, 'w'),
    release: () => rm(file, { force: true }),
  };
}

async function endFormerUse(dir: string, file: string): Promise<void> {
  const claim = parseClaim(await readFile(file, 'utf8'));
  const ownerLives = claim.ownerPid !== process.pid && isAlive(claim.ownerPid);
  if (claim.redis === undefined) {
    if (ownerLives) throw inUse(dir, claim.ownerPid);
    return;
  }
  if (!(await servesDir(claim.redis, dir))) return;
  if (ownerLives || claim.ownerPid === process.pid) throw inUse(dir, claim.ownerPid);
  const { pid } = claim.redis;
  process.kill(pid, 'SIGTERM');
  if (!(await pollUntil(() => !isAlive(pid), STOP_DEADLINE_MS))) throw inUse(dir, pid);
}

/** A claim cut short by a crash says nothing about a Redis: it is like none. */
function parseClaim(text: string): Claim {
  try {
    return JSON.parse(text);
  } catch {
    return { ownerPid: 0 };
  }
}

/** Whether that Redis is alive and works in that folder: ports and process ids are used again by others. */
async function servesDir(redis: { pid: number; port: number }, dir: string): Promise<boolean> {
  const address = { host: '127.0.0.1', port: redis.port };
  try {
    const [, folder] = await askRedis(address, async (client) => (await client.config('GET', 'dir')) as string[]);
    return folder === (await realpath(dir)) && (await redisPidAt(address)) === redis.pid;
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch {
    return false;
  }
}

function inUse(dir: string, pid: number): LocalServiceError {
  return new LocalServiceError(`${dir} is in use by process ${pid}: stop that one, or choose another data folder`);
}
