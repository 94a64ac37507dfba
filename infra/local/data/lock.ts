/** One stack for one data folder. The lock names its process, so that one left behind by a killed stack is taken over. */
import { randomUUID } from 'node:crypto';
import { link, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalServiceError } from '../../../lib/errors.ts';
import { pollUntil } from '../redis/poll-until.ts';
import { processStart } from './process-identity.ts';

interface Holder {
  readonly pid: number;
  /** {@link processStart} of that process. */
  readonly start: string;
}

export interface Lock {
  release(): Promise<void>;
}

const DEADLINE_MS = 5_000;
/** Longer than it takes to remove a file: whoever is still at it then was killed meanwhile. */
const TAKEOVER_MS = 2_000;

/**
 * Takes the lock of `dir`.
 * @throws {LocalServiceError} a living process holds it.
 */
export async function takeLock(dir: string): Promise<Lock> {
  const file = join(dir, 'lock');
  const holder: Holder = { pid: process.pid, start: processStart(process.pid) ?? '' };
  // Written aside and linked: nobody ever reads half a lock.
  const own = `${file}.${randomUUID()}`;
  await writeFile(own, JSON.stringify(holder), { mode: 0o600 });
  const attempt = async () => {
    if (await linkNew(own, file)) return true;
    await removeStale({ dir, file, own });
    return false;
  };
  try {
    if (await pollUntil(attempt, DEADLINE_MS)) return { release: () => rm(file, { force: true }) };
  } finally {
    await rm(own, { force: true });
  }
  throw new LocalServiceError(`The lock of ${dir} cannot be taken: remove ${file} if no stack runs there`);
}

async function linkNew(own: string, file: string): Promise<boolean> {
  try {
    await link(own, file);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/**
 * Removes the lock of a process that is gone. One process at a time may: two could each remove what the other has taken.
 * @throws {LocalServiceError} it is not stale.
 */
async function removeStale({ dir, file, own }: { dir: string; file: string; own: string }): Promise<void> {
  if (!(await isStale(dir, file))) return;
  const takeover = `${file}.takeover`;
  if (!(await linkNew(own, takeover))) {
    const sinceMs = await stat(takeover).then(
      ({ ctimeMs }) => ctimeMs,
      () => Date.now(),
    );
    if (Date.now() - sinceMs > TAKEOVER_MS) await rm(takeover, { force: true });
    return;
  }
  try {
    if (await isStale(dir, file)) await rm(file, { force: true });
  } finally {
    await rm(takeover, { force: true });
  }
}

/** False: it is not there any more. @throws {LocalServiceError} its process lives. */
async function isStale(dir: string, file: string): Promise<boolean> {
  const text = await readOrNothing(file);
  if (text === undefined) return false;
  const holder = parseHolder(text);
  if (holder === undefined || processStart(holder.pid) !== holder.start) return true;
  throw new LocalServiceError(
    `A local stack already runs on ${dir} (process ${holder.pid}): stop it, or choose another folder with RIPTIDE_DATA_DIR`,
  );
}

function parseHolder(text: string): Holder | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readOrNothing(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
