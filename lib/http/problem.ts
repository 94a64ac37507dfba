/** RFC 9457 problems: every refusal and fault, with a stable code. What is not an AppError is hidden. */
import { AppError, ConfigError } from '../errors.ts';
import type { Result } from './result.ts';

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not found',
  409: 'Conflict',
  410: 'Gone',
  412: 'Precondition failed',
  413: 'Content too large',
  415: 'Unsupported media type',
  422: 'Unprocessable content',
  429: 'Too many requests',
  431: 'Request header fields too large',
  500: 'Internal error',
  503: 'Service unavailable',
  504: 'Timed out',
  507: 'Insufficient storage',
};

/**
 * The problem that tells the caller of `error`: an AppError as it is, a bug as `internal`. What is wrong with the
 * configuration is for the log: anybody may call.
 */
export function problemOf(error: unknown, requestId: string): Result {
  if (!(error instanceof AppError)) return problem(500, 'internal', 'Something went wrong on our side', requestId);
  const { status, code, message, details, issues, retryAfterMs } = error;
  if (error instanceof ConfigError) return problem(status, code, 'This deployment is configured wrongly', requestId);
  const result = problem(status, code, message, requestId, {
    ...(Object.keys(details).length > 0 ? { details } : {}),
    ...(issues === undefined ? {} : { errors: issues }),
  });
  const headers: Record<string, string> = { ...result.headers };
  if (retryAfterMs !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfterMs / 1000)));
  if (status === 401) headers['www-authenticate'] = 'Bearer realm="riptide"';
  return { ...result, headers };
}

function problem(status: number, code: string, detail: string, requestId: string, more: object = {}): Result {
  const title = TITLES[status] ?? 'Error';
  return {
    status,
    // Again in a header: the answer to a HEAD request has no body.
    headers: { 'content-type': 'application/problem+json', 'riptide-problem': code },
    data: { type: `urn:riptide:problem:${code}`, title, status, detail, code, request_id: requestId, ...more },
  };
}
