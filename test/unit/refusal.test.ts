import { describe, expect, it } from 'vitest';
import { ADMITTED, CONTEXT_OLD, refusal } from '../../lib/gate/refusal.ts';

/** 99 of the burst of 100 used, one of the minute's 1,000, 12.345 s before the next. */
const LIMITS = [99 * 60_000_000, 1, 47_655, '1000', '100'];
const SCOPE = 'cache:read';

describe('what the gate refuses is told by its code [T2 T5]', () => {
  it.each([
    [[1], 401, 'key_unknown'],
    [[2], 401, 'key_expired'],
    [[3], 401, 'key_revoked'],
    [[4], 403, 'scope_missing'],
    [[5, 'suspended'], 403, 'tenant_suspended'],
    [[6, 250, ...LIMITS], 429, 'rate_limited'],
    [[7, 12_345, ...LIMITS], 429, 'quota_exceeded'],
  ])('%j', (reply, status, code) => {
    expect(refusal(reply, SCOPE).error).toMatchObject({ status, code });
  });

  it('a limit says what is used, how much there is, and when to come again', () => {
    expect(refusal([6, 250, ...LIMITS], SCOPE)).toMatchObject({
      error: { retryAfterMs: 250, details: { limited_by: 'burst', used: 99, limit: 100, resets_in_ms: 250 } },
      admission: { burst: 100, minuteLeft: 999 },
    });
    expect(refusal([6, 250, ...LIMITS], SCOPE).error.message).toMatch(/Retry-After.*larger burst/);
    const minute = { retryAfterMs: 12_345, details: { used: 1, limit: 1_000, resets_in_ms: 12_345 } };
    expect(refusal([7, 12_345, ...LIMITS], SCOPE).error).toMatchObject(minute);
  });

  it('never says to come again at once', () => {
    expect(refusal([6, 0, ...LIMITS], SCOPE).error.retryAfterMs).toBe(1);
  });

  it.each([[[ADMITTED, ...LIMITS]], [[CONTEXT_OLD, '1', '{}']], [[9]], [[]]])('%j is no refusal', (reply) => {
    expect(() => refusal(reply, SCOPE)).toThrow(RangeError);
  });
});
