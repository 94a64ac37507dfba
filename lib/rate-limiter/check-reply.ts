import { isoOrNull } from '../iso-time.ts';
import type { CheckLimitRequest, CheckLimitResponse } from './contract.ts';
import type { LimitCheck } from './limit-rules.ts';
import type { LimitVerdict } from './limiter.ts';

export const toLimitCheck = (name: string, body: CheckLimitRequest): LimitCheck => ({
  name,
  identifier: body.identifier,
  limit: body.limit,
  windowMs: body.window_ms,
  cost: body.cost,
  algorithm: body.algorithm,
  onUnavailable: body.on_unavailable,
});

export const toCheckResponse = ({ resetAtMs, degraded, ...verdict }: LimitVerdict): CheckLimitResponse => ({
  allowed: verdict.allowed,
  limit: verdict.limit,
  remaining: verdict.remaining,
  reset_at: isoOrNull(resetAtMs),
  retry_after_ms: verdict.retryAfterMs,
  algorithm: verdict.algorithm,
  ...(degraded ? { degraded: true as const } : {}),
});
