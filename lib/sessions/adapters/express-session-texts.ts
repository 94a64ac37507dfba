/** What express-session holds of a session, as JSON texts by its top-level keys, and what changed in it. Pure. */
import type { HeldSession, KeyChanges } from './session-port.ts';

/** express-session rounds `originalMaxAge` by a millisecond now and then: no change of what was chosen. */
const ROUNDING_MS = 1_000;

const COOKIE = 'cookie';

type Fields = Readonly<Record<string, unknown>>;

/**
 * The texts of a session's own keys; what JSON has no text for is left out, as express-session's own store does. The time a cookie
 * with a lifetime ends is left out, too: it is when the session ends, and would change with each request.
 * @throws {TypeError} it is circular, or holds a BigInt.
 */
export function sessionTexts(session: object, before?: ReadonlyMap<string, string>): Map<string, string> {
  const texts = new Map<string, string>();
  for (const [key, value] of Object.entries(session)) {
    const text = JSON.stringify(value) as string | undefined;
    if (text !== undefined) texts.set(key, key === COOKIE ? cookieText(text, before?.get(COOKIE)) : text);
  }
  return texts;
}

function cookieText(text: string, before: string | undefined): string {
  const cookie = fieldsOf(text);
  const { expires: _end, ...rest } = cookie ?? {};
  if (typeof rest.originalMaxAge !== 'number') return text;
  const chosen = before === undefined ? undefined : fieldsOf(before)?.originalMaxAge;
  const rounded = typeof chosen === 'number' && Math.abs(chosen - rest.originalMaxAge) < ROUNDING_MS;
  return JSON.stringify(rounded ? { ...rest, originalMaxAge: chosen } : rest);
}

/** What express-session is given of a stored session. Own fields, whatever their names: none is the prototype's. */
export function sessionFields({ data, expiresAtMs }: HeldSession): Record<string, unknown> {
  const fields: Record<string, unknown> = Object.fromEntries(
    Array.from(data, ([key, text]) => [key, JSON.parse(text)] as const),
  );
  // One that another client of the service made, or took the cookie out of.
  const cookie = asFields(fields[COOKIE]) ?? { originalMaxAge: null, expires: null };
  const expires = new Date(expiresAtMs).toISOString();
  return { ...fields, [COOKIE]: typeof cookie.originalMaxAge === 'number' ? { ...cookie, expires } : cookie };
}

export function changesBetween(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): KeyChanges & { readonly none: boolean } {
  const set = new Map([...after].filter(([key, text]) => before.get(key) !== text));
  const remove = [...before.keys()].filter((key) => !after.has(key));
  return { set, remove, none: set.size === 0 && remove.length === 0 };
}

/**
 * How long a session with this cookie is to live unused, in ms: whole seconds, rounded up, `maxMs` at most; 0 or less: it has ended.
 * Null: the cookie says nothing, as one that lasts until the browser is closed.
 */
export function cookieTtlMs(session: object, { nowMs, maxMs }: { readonly nowMs: number; readonly maxMs: number }) {
  const { originalMaxAge, expires, maxAge } = asFields((session as Fields)[COOKIE]) ?? {};
  const ms = isNumber(originalMaxAge) ? originalMaxAge : (leftMs(expires, nowMs) ?? (isNumber(maxAge) ? maxAge : null));
  return ms === null ? null : Math.min(Math.ceil(ms / 1_000) * 1_000, maxMs);
}

function leftMs(expires: unknown, nowMs: number): number | null {
  if (!(expires instanceof Date) && typeof expires !== 'string') return null;
  const ms = new Date(expires).getTime() - nowMs;
  return isNumber(ms) ? ms : null;
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const asFields = (value: unknown): Fields | null =>
  typeof value === 'object' && value !== null ? (value as Fields) : null;
const fieldsOf = (text: string): Fields | null => asFields(JSON.parse(text));
