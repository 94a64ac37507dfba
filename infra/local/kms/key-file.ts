/**
 * The key material of the endpoint: one JSON file, for its owner only. It is read at each call, so an operator who disables a
 * key, adds one or points an alias elsewhere is obeyed by the next.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalServiceError } from '../../../lib/errors.ts';

export interface StoredKey {
  /** A UUID. */
  readonly id: string;
  readonly state: 'Enabled' | 'Disabled' | 'PendingDeletion';
  /** Unix time, ms. */
  readonly createdAtMs: number;
  /** 32 bytes each, base64; the last one wraps, as after a rotation in KMS. A ciphertext names its own, from 1. */
  readonly versions: readonly string[];
}

export interface KeyRing {
  readonly format: 1;
  readonly keys: readonly StoredKey[];
  /** `alias/name` -> key id. */
  readonly aliases: Readonly<Record<string, string>>;
}

const FILE = 'keys.json';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A new key, enabled. */
export function newKey(nowMs: number): StoredKey {
  return { id: randomUUID(), state: 'Enabled', createdAtMs: nowMs, versions: [newVersion()] };
}

/** Material for one more version of a key. */
export const newVersion = (): string => randomBytes(32).toString('base64');

/** The ring in `dir`; at the first start one key is made and `alias` points to it. @throws {LocalServiceError} the file is damaged. */
export async function openKeyRing(dir: string, alias: string, nowMs: number): Promise<KeyRing> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const kept = await readKeyRing(dir);
  if (kept !== null) {
    await chmod(join(dir, FILE), 0o600);
    return kept;
  }
  const key = newKey(nowMs);
  const made: KeyRing = { format: 1, keys: [key], aliases: { [alias]: key.id } };
  await writeKeyRing(dir, made);
  return made;
}

/** Null: there is none yet. @throws {LocalServiceError} the file is damaged. */
export async function readKeyRing(dir: string): Promise<KeyRing | null> {
  const path = join(dir, FILE);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  const ring = parseKeyRing(text);
  if (ring !== null) return ring;
  throw new LocalServiceError(`${path} is not a file of KMS keys: restore it, or begin anew with npm start -- --fresh`);
}

/** Whole or not at all, and on the disk before it resolves: a key that was used must not be lost. */
export async function writeKeyRing(dir: string, ring: KeyRing): Promise<void> {
  const draft = join(dir, `${FILE}.${randomUUID()}`);
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(ring, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, join(dir, FILE));
  const folder = await open(dir, 'r');
  await folder.sync().finally(() => folder.close());
}

function parseKeyRing(text: string): KeyRing | null {
  try {
    const ring = JSON.parse(text);
    const isWhole = ring.format === 1 && Array.isArray(ring.keys) && ring.keys.every(isKey);
    return isWhole && Object.values(ring.aliases).every((id) => typeof id === 'string') ? ring : null;
  } catch {
    return null; // told by the caller, without the text
  }
}

function isKey({ id, state, createdAtMs, versions }: StoredKey): boolean {
  const isVersion = (version: string) => Buffer.from(version, 'base64').length === 32;
  return (
    UUID.test(id) &&
    ['Enabled', 'Disabled', 'PendingDeletion'].includes(state) &&
    Number.isSafeInteger(createdAtMs) &&
    versions.length > 0 &&
    versions.every(isVersion)
  );
}
