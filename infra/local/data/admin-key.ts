/** The admin key of the local stack. */
import { createHash, randomBytes } from 'node:crypto';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { LocalServiceError } from '../../../lib/errors.ts';

const MIN_LENGTH = 16;
/** What fits into an Authorization header. */
const KEY = /^[\x21-\x7e]+$/;

/**
 * The key given, or the one kept in `file`; when there is none, a new one is made and kept there, for its owner only.
 * @throws {LocalServiceError} the key is too short, or cannot be sent in a header.
 */
export async function obtainAdminKey(given: string | undefined, file: string): Promise<string> {
  if (given !== undefined) return checkKey(given, 'RIPTIDE_ADMIN_KEY');
  try {
    const kept = checkKey((await readFile(file, 'utf8')).trim(), file);
    await chmod(file, 0o600);
    return kept;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  const made = `admin-${randomBytes(24).toString('base64url')}`;
  await writeFile(file, `${made}\n`, { mode: 0o600, flag: 'wx' });
  return made;
}

/** As the configuration wants it: hex. */
export function hashAdminKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

function checkKey(key: string, where: string): string {
  if (key.length >= MIN_LENGTH && KEY.test(key)) return key;
  throw new LocalServiceError(
    `${where}: an admin key has ${MIN_LENGTH} characters or more, all printable ASCII, no spaces`,
  );
}
