/** What a failed request of @upstash/redis means. Its messages quote the whole command: none of them is passed on. */
import { AppError } from '../errors.ts';
import { replyCode, replyError } from './reply-error.ts';
import { unanswered, unavailable } from './transport-errors.ts';

const NEVER_CONNECTED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);
const NO_TLS = /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/;
/** The client appends `, command was: [...]` to the endpoint's own text. */
const COMMAND_SUFFIX = ', command was: ';

/**
 * The error for what the client threw, or for what was thrown before it sent anything.
 * @returns as `replyError`, when the endpoint passed on an error reply; RedisUnavailableError, when no connection was
 * made; OutcomeUnknownError for the rest: sent, and the answer was lost.
 */
export function restFault(thrown: unknown, timedOut: boolean): Error {
  if (thrown instanceof AppError) return thrown;
  const { name, message, cause } = asError(thrown);
  if (name === 'UpstashError') return endpointError(message.split(COMMAND_SUFFIX, 1)[0] ?? '');
  const code = connectionCode(cause);
  if (code !== null && neverConnected(code, cause)) return unavailable('not_connected', code);
  if (name === 'UpstashJSONParseError') return unanswered('endpoint_failed');
  return timedOut ? unanswered('timeout') : unanswered('connection_lost', code ?? undefined);
}

function endpointError(text: string): Error {
  if (/^unauthorized/i.test(text)) return unavailable('credentials_refused');
  return replyCode(text) === null ? unanswered('endpoint_failed') : replyError(text);
}

function neverConnected(code: string, cause: unknown): boolean {
  const syscall = (cause as { syscall?: unknown }).syscall;
  return (
    NEVER_CONNECTED.has(code) ||
    code === 'UND_ERR_CONNECT_TIMEOUT' ||
    syscall === 'connect' ||
    syscall === 'getaddrinfo' ||
    NO_TLS.test(code)
  );
}

function connectionCode(cause: unknown): string | null {
  const code = (cause as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : null;
}

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));
