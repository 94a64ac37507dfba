/** What a session may hold and be called. One law for HTTP and the library. Pure. */
import { BodyTooLargeError, InvalidRequestError, type Issue } from '../errors.ts';
import type { DataChange, NewSession, SessionMetadata } from './session.ts';
import type { SessionSettings } from './session-settings.ts';

export const MAX_DATA_KEYS = 512;
export const MAX_DATA_KEY_BYTES = 256;
export const MAX_USER_ID_BYTES = 256;
/** Each of address, agent and source. */
export const MAX_METADATA_CHARACTERS = 512;
export const MAX_ATTRIBUTES = 32;
/** Sessions that one call asks to have brought back. */
export const MAX_PREFETCHED = 100;
export const MAX_ATTRIBUTE_CHARACTERS = 256;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\x00-\x1f\x7f]/;

/** Some readers of JSON take it for something else. */
const NO_KEY = '__proto__';

const isText = (text: string, maxBytes: number): boolean =>
  text.length > 0 && Buffer.byteLength(text) <= maxBytes && text.isWellFormed() && !CONTROL.test(text);

/** Whether data can have this key. */
export const isDataKey = (key: string): boolean => isText(key, MAX_DATA_KEY_BYTES) && key !== NO_KEY;
export const isUserId = (text: string): boolean => isText(text, MAX_USER_ID_BYTES);

/** @throws {InvalidRequestError} */
export function checkUserId(userId: string | null | undefined): void {
  if (userId === null || userId === undefined || isUserId(userId)) return;
  throw refuse([{ field: 'user_id', message: `must be 1 to ${MAX_USER_ID_BYTES} bytes without control characters` }]);
}

/** Of a user whose sessions are asked for. @throws {InvalidRequestError} it is none, or empty. */
export function requireUserId(userId: string): void {
  if (userId === '')
    throw new InvalidRequestError('A user id is needed', { issues: [{ field: 'user_id', message: 'must be given' }] });
  checkUserId(userId);
}

/** How long a session lives unused, and at all, ms. @throws {InvalidRequestError} longer than the tenant's sessions may. */
export function lifetimesOf(
  { ttlMs, maxLifetimeMs }: Pick<NewSession, 'ttlMs' | 'maxLifetimeMs'>,
  settings: SessionSettings,
): { readonly idleMs: number; readonly lifeMs: number } {
  const lifeMs = maxLifetimeMs ?? settings.maxLifetimeMs;
  const idleMs = ttlMs ?? Math.min(settings.timeoutMs, lifeMs);
  const most = settings.maxLifetimeMs / 1_000;
  const issues = [
    isMs(lifeMs, settings.maxLifetimeMs)
      ? undefined
      : { field: 'max_lifetime_seconds', message: `must be 1 to ${most}` },
    isMs(idleMs, settings.maxLifetimeMs) ? undefined : { field: 'ttl_seconds', message: `must be 1 to ${most}` },
  ].filter((issue) => issue !== undefined);
  if (issues.length > 0) throw refuse(issues);
  return { idleMs, lifeMs };
}

/** @throws {InvalidRequestError} not a change of data. @throws {BodyTooLargeError} too much for one session. */
export function checkChange({ set = new Map(), remove = [] }: DataChange, maxBytes: number): void {
  const issues: Issue[] = [];
  for (const key of [...set.keys(), ...remove]) {
    if (!isDataKey(key))
      issues.push({
        field: 'data',
        message: `keys must be 1 to ${MAX_DATA_KEY_BYTES} bytes without control characters, and not ${NO_KEY}`,
      });
  }
  for (const text of set.values()) if (!isJson(text)) issues.push({ field: 'data', message: 'values must be JSON' });
  for (const key of remove)
    if (set.has(key)) issues.push({ field: 'remove', message: 'must not name a key that is set' });
  if (set.size > MAX_DATA_KEYS || remove.length > MAX_DATA_KEYS)
    issues.push({ field: 'data', message: `must have at most ${MAX_DATA_KEYS} keys` });
  if (issues.length > 0) throw refuse(issues.slice(0, 10));
  let bytes = 0;
  for (const [key, text] of set) bytes += Buffer.byteLength(key) + Buffer.byteLength(text);
  if (bytes > maxBytes) throw tooLarge(maxBytes);
}

export const tooLarge = (maxBytes: number): BodyTooLargeError =>
  new BodyTooLargeError(`The data of a session may have ${maxBytes} bytes and ${MAX_DATA_KEYS} keys`, {
    details: { max_bytes: maxBytes, max_keys: MAX_DATA_KEYS },
  });

/** As it is stored: empty when nothing is known. @throws {InvalidRequestError} */
export function metadataText(metadata: SessionMetadata = {}): string {
  const { client_ip, user_agent, source, attributes } = metadata;
  const issues: Issue[] = [];
  for (const [field, text] of Object.entries({ client_ip, user_agent, source })) {
    if (text !== undefined && (text.length > MAX_METADATA_CHARACTERS || !text.isWellFormed()))
      issues.push({ field: `metadata.${field}`, message: `must have at most ${MAX_METADATA_CHARACTERS} characters` });
  }
  const entries = Object.entries(attributes ?? {});
  const fits = (text: unknown) =>
    typeof text === 'string' && text.length <= MAX_ATTRIBUTE_CHARACTERS && text.isWellFormed();
  if (entries.length > MAX_ATTRIBUTES || !entries.flat().every(fits)) {
    const message = `must be at most ${MAX_ATTRIBUTES} texts of at most ${MAX_ATTRIBUTE_CHARACTERS} characters`;
    issues.push({ field: 'metadata.attributes', message });
  }
  if (issues.length > 0) throw refuse(issues);
  const text = JSON.stringify({
    client_ip,
    user_agent,
    source,
    attributes: entries.length > 0 ? attributes : undefined,
  });
  return text === '{}' ? '' : text;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return text.isWellFormed();
  } catch {
    return false;
  }
}

const isMs = (ms: number, max: number) => Number.isInteger(ms) && ms >= 1_000 && ms <= max;

const refuse = (issues: readonly Issue[]) => new InvalidRequestError('The session cannot be so', { issues });
