/** One stack for one data folder. The lock names its process, so that one left behind by a killed stack is taken over. */
import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalServiceError } from '../../../lib/errors.ts';
import { processStart } from './process-identity.ts';

interface Holder {
  readonly pid: number;
  /** {@link processStart} of that process. */
  readonly start: string;
}

export interface Lock {
  release(): Promise<void>;
}

const TRIES = 5;

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
  try {
    for (let tries = 1; tries <= TRIES; tries++) {
      if (await linkNew(own, file)) return { release: () => rm(file, { force: true }) };
      await removeStale(dir, file);
    }
  } finally {
    await rm(own, { force: true });
  }
  throw new LocalServiceError(`The lock of ${dir} cannot be taken: ${file}`);
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

/** @throws {LocalServiceError} it is not stale. */
async function removeStale(dir: string, file: string): Promise<void> {
  const text = await readOrNothing(file);
  if (text === undefined) return;
  const holder = parseHolder(text);
  if (holder !== undefined && processStart(holder.pid) === holder.start) {
    throw new LocalServiceError(
      `A local stack already runs on ${dir} (process ${holder.pid}): stop it, or choose another folder with RIPTIDE_DATA_DIR`,
    );
  }
  // Another start may have replaced it meanwhile: look at what was really taken away, and put it back if it lives.
  const aside = `${file}.${randomUUID()}`;
  await rename(file, aside).catch(ignoreMissing);
  const taken = await readOrNothing(aside);
  if (taken !== undefined && taken !== text) await link(aside, file).catch(() => {});
  await rm(aside, { force: true });
}

function parseHolder(text: string): Holder | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readOrNothing(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(ignoreMissing);
}

function ignoreMissing(error: unknown): undefined {
  if (!hasCode(error, 'ENOENT')) throw error;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
