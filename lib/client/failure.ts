import { findProblemCode } from '../docs/problem-codes.ts';
import type { Issue } from '../errors.ts';
import type { ClientCode, Failure } from './call.ts';

const TITLES = {
  network_error: 'No answer',
  timeout: 'Timed out',
  aborted: 'Aborted',
  invalid_request: 'Cannot be sent',
} as const;

/** Nothing was sent, or no answer came. */
export function localFailure(code: keyof typeof TITLES, detail: string, errors?: readonly Issue[]): Failure {
  const problem = { code, title: TITLES[code], detail, status: 0, request_id: 'none' };
  return { ok: false, status: 0, problem: errors ? { ...problem, errors } : problem, headers: new Headers() };
}

/** An answer that no contract names: from something between, or from another version. */
export function unexpectedReply(response: Response, detail: string): Failure {
  const code: ClientCode = 'unexpected_reply';
  const problem = { code, title: 'Unexpected reply', detail, status: response.status, request_id: requestId(response) };
  return { ok: false, status: response.status, problem, headers: response.headers, ...retryAfter(response) };
}

/** The answer to a HEAD request has no body: the code is in the header `riptide-problem`; without it, `http_<status>`. */
export function bodilessFailure(response: Response): Failure {
  const { status, headers } = response;
  const code = headers.get('riptide-problem') ?? `http_${status}`;
  const detail = findProblemCode(code)?.meaning ?? `The service answered ${status}`;
  const problem = { code, title: `HTTP ${status}`, detail, status, request_id: requestId(response) };
  return { ok: false, status, problem, headers, ...retryAfter(response) };
}

/** `Retry-After` in milliseconds: seconds, or a date as gateways write it. */
export function retryAfter({ headers }: Response): { readonly retryAfterMs?: number } {
  const value = headers.get('retry-after');
  if (value === null) return {};
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? { retryAfterMs: Math.max(0, ms) } : {};
}

const requestId = ({ headers }: Response) => headers.get('x-request-id') ?? 'none';
