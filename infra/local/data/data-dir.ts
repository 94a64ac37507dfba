/** The folder of the local stack: Redis, objects, master keys, the admin key. It is marked, so that nothing else is ever emptied. */
import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LocalServiceError } from '../../../lib/errors.ts';
import { takeLock } from './lock.ts';

const MARKER = 'riptide-data.json';
/** All a stack keeps here. */
const CONTENTS = ['redis', 's3', 'kms', 'admin-key', 'env.json', 'env'];
/** The settings of the running stack, in two forms. */
const SETTINGS = ['env.json', 'env'];

export interface DataDir {
  /** Absolute. */
  readonly path: string;
  /** A folder or file in it. */
  at(name: 'redis' | 's3' | 'kms' | 'admin-key'): string;
  /** Leaves the settings of the running stack for other programs, as JSON and for `node --env-file`; only this user may read them. */
  writeSettings(settings: Readonly<Record<string, string>>): Promise<void>;
  /** Takes the settings away and lets another stack use the folder. */
  release(): Promise<void>;
}

/**
 * Takes the folder for this process; makes it when it is not there. `isFresh` empties it of what a stack keeps.
 * @throws {LocalServiceError} it cannot be made, it holds somebody else's files, or another stack uses it.
 */
export async function openDataDir(dir: string, { isFresh }: { readonly isFresh: boolean }): Promise<DataDir> {
  const path = resolve(dir);
  await makeFolder(path);
  await markAsOurs(path);
  const lock = await takeLock(path);
  try {
    const stale = isFresh ? CONTENTS : SETTINGS;
    await Promise.all(stale.map((name) => rm(join(path, name), { recursive: true, force: true })));
  } catch (error) {
    await lock.release();
    throw error;
  }
  return {
    path,
    at: (name) => join(path, name),
    async writeSettings(settings) {
      await writeSecret(join(path, 'env'), toEnvFile(settings));
      await writeSecret(join(path, 'env.json'), `${JSON.stringify(settings, null, 2)}\n`);
    },
    async release() {
      await Promise.all(SETTINGS.map((name) => rm(join(path, name), { force: true })));
      await lock.release();
    },
  };
}

/** Whole or not at all, and for this user only. */
async function writeSecret(file: string, text: string): Promise<void> {
  const draft = `${file}.tmp`;
  await writeFile(draft, text, { mode: 0o600 });
  await chmod(draft, 0o600);
  await rename(draft, file);
}

/** Quoted by what the value does not hold: the format has no escapes. A value that holds all three cannot be written. */
function toEnvFile(settings: Readonly<Record<string, string>>): string {
  const lines = Object.entries(settings).map(([name, value]) => {
    const quote = ["'", '`', '"'].find((mark) => !value.includes(mark));
    return quote === undefined ? `# ${name}: in env.json` : `${name}=${quote}${value}${quote}`;
  });
  return `${lines.join('\n')}\n`;
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 }).catch((error: Error) => {
    throw new LocalServiceError(
      `The data folder cannot be made: ${error.message}. Choose another with RIPTIDE_DATA_DIR`,
    );
  });
}

async function markAsOurs(path: string): Promise<void> {
  const names = await readdir(path);
  if (names.includes(MARKER)) return;
  if (names.length > 0) {
    throw new LocalServiceError(
      `${path} holds files that are not Riptide's: choose an empty or new folder (RIPTIDE_DATA_DIR)`,
    );
  }
  await writeFile(join(path, MARKER), `${JSON.stringify({ holds: 'data of a local Riptide stack', format: 1 })}\n`);
}
