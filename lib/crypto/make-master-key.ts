/** Makes master keys for the local provider: a file that is new, or a further line in one that is there. */
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readMasterKeys } from './master-key-file.ts';

const HEADER =
  '# Master keys of Riptide, newest last. Without them, encrypted data cannot be read: keep a copy in a safe place.\n';

/**
 * Makes a file with one new key, for its owner only; on the disk before this resolves.
 * @param id names the key: letters, digits, `.`, `_` and `-`.
 * @throws with code EEXIST: a file of master keys is never overwritten.
 */
export async function createMasterKeyFile(path: string, id: string): Promise<void> {
  await writeWhole(path, 'wx', HEADER + newLine(id));
  await syncDirectory(dirname(path));
}

/**
 * Adds a new key, which wraps from now on; the older ones still unwrap. Whole or not at all: a reader sees the old file or
 * the new one.
 * @throws {ConfigError} the file cannot be used, or has the id already.
 */
export async function addMasterKey(path: string, id: string): Promise<void> {
  await readMasterKeys(path);
  const before = await readFile(path, 'utf8');
  const draft = `${path}.new`;
  try {
    await writeWhole(draft, 'wx', `${before.replace(/\n?$/, '\n')}${newLine(id)}`);
    // Refuses an id that is taken, before the file is replaced.
    await readMasterKeys(draft);
    await rename(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') await rm(draft, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

const newLine = (id: string) => `${id} ${randomBytes(32).toString('base64')}\n`;

async function writeWhole(path: string, flags: 'wx', text: string): Promise<void> {
  await withFile(await open(path, flags, 0o600), async (handle) => {
    await handle.writeFile(text);
    await handle.sync();
  });
}

const syncDirectory = async (path: string) => withFile(await open(path, 'r'), (handle) => handle.sync());

async function withFile(handle: FileHandle, use: (handle: FileHandle) => Promise<void>): Promise<void> {
  try {
    await use(handle);
  } finally {
    await handle.close();
  }
}
