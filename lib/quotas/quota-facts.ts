/** What a tenant's gate says of its quotas, and how it is told. */
import { unpackUse } from '../gate/counters.ts';
import { unpackLimits } from '../gate/gate-fields.ts';
import { isoOf } from '../iso-time.ts';
import type { RedisReply } from '../redis/driver.ts';
import type { QuotaResponse } from './contract.ts';
import { unpackHeld } from './held-format.ts';
import { type QuotaFacts, quotaState, type Resource } from './quota-state.ts';

/** Of the gate's fields `h`, `m` and `r`. @param nowMs Unix ms. @throws {RangeError} not written by this service. */
export const readFacts = ([limits, counters, held]: readonly RedisReply[], nowMs: number): QuotaFacts => ({
  quotas: unpackLimits(limits as string).quotas,
  counters: unpackUse(counters as string),
  held: unpackHeld(held as string | null),
  nowMs,
});

/** One quota as callers see it: bytes or operations, ISO times, ms until it begins anew. */
export function toResponse(resource: Resource, facts: QuotaFacts): QuotaResponse {
  const { used, held, limit, left, resetsAtMs } = quotaState(resource, facts);
  return {
    used,
    held,
    limit,
    left,
    resets_at: resetsAtMs === null ? null : resetText(resetsAtMs),
    resets_in_ms: resetsAtMs === null ? null : resetsAtMs - facts.nowMs,
  };
}

/** The text of one instant is kept: quotas are asked again and again before they reset. */
let lastReset = { ms: 0, text: '' };
function resetText(ms: number): string {
  if (lastReset.ms !== ms) lastReset = { ms, text: isoOf(ms) };
  return lastReset.text;
}
