/**
 * The law of both algorithms in plain words and BigInt, beside check-limit.lua. One set of terms; times are Unix ms.
 *
 * A window begins with the first call that counts in it. A bucket holds `limit` tokens and gets `limit / windowMs` of one
 * back each ms: kept as a level in units of which a token has `windowMs`, so that nothing is ever rounded.
 */
import type { Algorithm } from '../../lib/rate-limiter/limit-rules.ts';
import type { LimitVerdict } from '../../lib/rate-limiter/limiter.ts';

export interface Terms {
  readonly algorithm: Algorithm;
  readonly limit: number;
  readonly windowMs: number;
}

/** What counts: calls in a window, or the level of a bucket, since a time. */
export interface Used {
  readonly used: bigint;
  readonly sinceMs: number;
}

const ceil = (amount: bigint, by: bigint) => (amount + by - 1n) / by;
const max = (a: bigint, b: bigint) => (a > b ? a : b);

/** What is answered at a time, and what counts from then on; null: nothing does. */
export function modelCheck(terms: Terms, before: Used | null, cost: number, nowMs: number) {
  return terms.algorithm === 'fixed_window'
    ? checkWindow(terms, before, cost, nowMs)
    : checkBucket(terms, before, cost, nowMs);
}

function checkWindow(terms: Terms, before: Used | null, cost: number, nowMs: number) {
  const limit = BigInt(terms.limit);
  const runs = before !== null && nowMs < before.sinceMs + terms.windowMs ? before : null;
  const used = runs?.used ?? 0n;
  const allowed = used + BigInt(Math.max(1, cost)) <= limit;
  const after = allowed && cost > 0 ? { used: used + BigInt(cost), sinceMs: runs?.sinceMs ?? nowMs } : runs;
  const resetAtMs = after === null ? nowMs : after.sinceMs + terms.windowMs;
  const remaining = Number(max(0n, limit - (after?.used ?? 0n)));
  return { after, verdict: verdict(terms, { allowed, remaining, resetAtMs, waitMs: resetAtMs - nowMs }) };
}

function checkBucket(terms: Terms, before: Used | null, cost: number, nowMs: number) {
  const [limit, one] = [BigInt(terms.limit), BigInt(terms.windowMs)];
  const elapsed = before === null ? 0n : max(0n, BigInt(nowMs - before.sinceMs));
  const level = before === null ? 0n : max(0n, before.used - elapsed * limit);
  const over = level + BigInt(Math.max(1, cost)) * one - limit * one;
  const allowed = over <= 0n;
  const counted = allowed && cost > 0;
  const now = counted ? level + BigInt(cost) * one : level;
  const after = counted ? { used: now, sinceMs: nowMs } : before;
  const remaining = Number((limit * one - now) / one);
  // A clock set back drains nothing, until it is again what it was.
  const fromMs = after === null ? nowMs : Math.max(nowMs, after.sinceMs);
  const resetAtMs = fromMs + Number(ceil(now, limit));
  return {
    after,
    verdict: verdict(terms, {
      allowed,
      remaining,
      resetAtMs,
      waitMs: fromMs - nowMs + Number(ceil(max(1n, over), limit)),
    }),
  };
}

function verdict(
  { limit, algorithm }: Terms,
  { waitMs, ...told }: { allowed: boolean; remaining: number; resetAtMs: number; waitMs: number },
): LimitVerdict {
  return { ...told, limit, algorithm, retryAfterMs: told.allowed ? null : Math.max(1, waitMs), degraded: false };
}
