/** A file of master keys: one line for each, `<id> <base64 of 32 bytes>`, the newest last. Blank lines and `#` comments may stand between. */
import { createSecretKey, type KeyObject } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { ConfigError, KeyProviderUnavailableError } from '../errors.ts';

export interface MasterKeys {
  /** The last line: it wraps. */
  readonly currentId: string;
  readonly byId: ReadonlyMap<string, KeyObject>;
}

const LINE = /^([A-Za-z0-9][A-Za-z0-9._-]{0,63}) ([A-Za-z0-9+/]{43}=)$/;
const MAX_BYTES = 65_536;
const KEY_BYTES = 32;
const RETRY_AFTER_MS = 1000;

/**
 * Reads the keys, new at every call: a line that is added is used at once, and a data key is asked for once in minutes.
 * @throws {ConfigError} it is missing, readable by others, or not such a file; the message says what to do.
 * @throws {KeyProviderUnavailableError} the disk does not give it now.
 */
export async function readMasterKeys(path: string): Promise<MasterKeys> {
  const { open } = await import('node:fs/promises');
  const handle = await open(path, 'r').catch((error: unknown) => {
    throw unreadable(error);
  });
  try {
    await checkFile(handle);
    return parseMasterKeys(await handle.readFile('utf8'));
  } catch (error) {
    throw error instanceof ConfigError ? error : unreadable(error);
  } finally {
    await handle.close();
  }
}

/** Of the file that is open, so that no other one can take its place in between. */
async function checkFile(handle: FileHandle): Promise<void> {
  const { mode, size } = await handle.stat();
  if ((mode & 0o077) !== 0) throw unusable('other users of the machine may read or change it; run chmod 600 on it');
  if (size > MAX_BYTES) throw unusable('it is too large to be a file of master keys');
}

/** @throws {ConfigError} naming the line, never what stands in it. */
function parseMasterKeys(text: string): MasterKeys {
  const byId = new Map<string, KeyObject>();
  let currentId: string | undefined;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [, id = '', base64 = ''] = LINE.exec(line) ?? [];
    const bytes = Buffer.from(base64, 'base64');
    if (bytes.length !== KEY_BYTES) throw unusable(`line ${index + 1} is not "<id> <base64 of 32 bytes>"`);
    if (byId.has(id)) throw unusable(`line ${index + 1} repeats the id of another line`);
    byId.set(id, createSecretKey(bytes));
    bytes.fill(0);
    currentId = id;
  }
  if (currentId === undefined) throw unusable('it holds no key');
  return { currentId, byId };
}

function unreadable(error: unknown): ConfigError | KeyProviderUnavailableError {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (code === 'ENOENT') return unusable('there is no such file');
  if (code === 'EACCES' || code === 'EPERM') return unusable('this process may not read it');
  if (code === 'EISDIR' || code === 'ENOTDIR') return unusable('it is not a file');
  return new KeyProviderUnavailableError('Key provider: the file of master keys cannot be read now', {
    details: { reason: code ?? 'Unknown' },
    retryAfterMs: RETRY_AFTER_MS,
  });
}

const unusable = (why: string) => {
  const message = `${why}; set by encryption.master_key_file`;
  return new ConfigError(`The file of master keys cannot be used: ${message}`, {
    issues: [{ field: 'encryption.master_key_file', message }],
  });
};
