/** What an error reply of Redis means. Its text may quote arguments, so none of it reaches our message. */
import { type AppError, RedisReplyError, StorageFullError } from '../errors.ts';
import { requestTooLarge, unavailable } from './transport-errors.ts';

/** Redis refused before it did anything, and will not for long: loading, failing over, moving slots, in a script. */
const NOT_NOW = new Set([
  'LOADING',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'MASTERDOWN',
  'READONLY',
  'BUSY',
  'NOREPLICAS',
  'MISCONF',
  'UNAVAILABLE',
]);
const CREDENTIALS = new Set(['WRONGPASS', 'NOAUTH', 'NOPERM', 'UNAUTHORIZED']);
const CODE = /^-?([A-Z][A-Z0-9_]*)(?=[\s:]|$)/;
const UPSTASH_LIMIT = /^ERR max (daily |monthly |concurrent )?(request|command|bandwidth)s? limit exceeded/;
const TOO_LARGE = 'ERR max request size exceeded';
const SCRIPT_FAULT = /user_script:(\d+): (attempt to [a-z ]+)?/;

/** The first word of an error reply, or null when the text is not one (a proxy's page, a library's message). */
export function replyCode(text: string): string | null {
  return CODE.exec(text)?.[1] ?? null;
}

/**
 * The error for an error reply.
 * @param text as Redis sent it, without the leading `-`.
 * @returns RedisReplyError; StorageFullError for OOM; BodyTooLargeError above the endpoint's limit; RedisUnavailableError when Redis changed nothing because it
 * cannot serve now, or refused our credentials.
 */
export function replyError(text: string): AppError {
  const code = replyCode(text) ?? 'ERR';
  if (NOT_NOW.has(code) || UPSTASH_LIMIT.test(text)) return unavailable('not_now', code);
  if (CREDENTIALS.has(code)) return unavailable('credentials_refused', code);
  if (text.startsWith(TOO_LARGE)) return requestTooLarge();
  if (code === 'OOM') return new StorageFullError('store_full', 'Redis is out of memory; nothing was changed');
  return new RedisReplyError(code, `Redis answered ${code}${whereInScript(text)}`);
}

/** The line a script failed at: names and types of Lua are ours, values are not. */
function whereInScript(text: string): string {
  const fault = SCRIPT_FAULT.exec(text);
  if (fault === null) return '';
  return ` at line ${fault[1]} of the script${fault[2] === undefined ? '' : `: ${fault[2].trim()}`}`;
}
