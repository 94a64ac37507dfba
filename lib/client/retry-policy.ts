import type { Failure } from './call.ts';
import type { AnyReply } from './read-reply.ts';
import type { PreparedRequest } from './request.ts';

const BACKOFF_MS = 100;

export interface RetryState {
  /** Repeats so far. */
  readonly attempt: number;
  readonly retries: number;
  /** Until the call must have ended. */
  readonly leftMs: number;
}

/**
 * How long to wait before the same request is sent again; null: not at all. Only 429, 503 and while the first request with
 * its Idempotency-Key still runs; only where repeating is safe, never longer than what is left, and as long as the service
 * asks for (else 100 ms, doubling).
 */
export function retryWaitMs(request: PreparedRequest, outcome: AnyReply | Failure, state: RetryState): number | null {
  if (outcome.ok || state.attempt >= state.retries) return null;
  const passes = outcome.status === 429 || outcome.status === 503 || outcome.problem.code === 'idempotency_in_progress';
  if (!passes) return null;
  if (!isRepeatable(request, outcome)) return null;
  const waitMs = outcome.retryAfterMs ?? BACKOFF_MS * 2 ** state.attempt;
  return waitMs < state.leftMs ? waitMs : null;
}

function isRepeatable({ method, headers }: PreparedRequest, { problem }: Failure): boolean {
  if (method === 'POST' || method === 'PATCH') return headers.has('idempotency-key');
  if (method === 'GET' || method === 'HEAD') return true;
  // The first may have been applied, and would make its own condition fail.
  const conditional = headers.has('if-match') || headers.has('if-none-match');
  return !conditional || problem.code === 'store_unavailable' || problem.status === 429;
}
