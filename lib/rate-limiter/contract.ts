/** The endpoint of the limiter: what it takes and gives. */
import * as z from 'zod';
import { defineContract, tenant } from '../http/contract.ts';
import { Count, Instant } from '../http/fields.ts';
import { ALGORITHMS, LIMIT_NAME, MAX_IDENTIFIER_CHARACTERS, MAX_LIMIT, MAX_WINDOW_MS } from './limit-rules.ts';

const LimitName = z.string().regex(LIMIT_NAME, 'must be 1 to 64 of A-Z a-z 0-9 . _ - and begin with a letter or digit');

const Identifier = z
  .string()
  .min(1)
  .max(MAX_IDENTIFIER_CHARACTERS)
  .refine((text) => text.isWellFormed(), 'must be well-formed Unicode')
  .describe('Whom the limit counts: a user, an address, a device.');

export const CheckLimitRequest = z
  .strictObject({
    identifier: Identifier,
    limit: z.int().min(1).max(MAX_LIMIT).describe('What may be spent in a window.'),
    window_ms: z.int().min(1).max(MAX_WINDOW_MS).describe('1 ms to 30 days.'),
    cost: z
      .int()
      .min(0)
      .max(MAX_LIMIT)
      .default(1)
      .describe('At most `limit`. 0 only looks: `allowed` then says whether a cost of 1 would fit.'),
    algorithm: z
      .enum(ALGORITHMS)
      .default('fixed_window')
      .describe(
        '`fixed_window`: at most `limit` in each window, which begins with its first call. `token_bucket`: `limit` at once, refilled evenly over the window.',
      ),
    on_unavailable: z
      .enum(['deny', 'allow'])
      .default('deny')
      .describe(
        'While the store cannot be reached: `deny` answers 503; `allow` lets pass, where this key was admitted within the last 5 minutes.',
      ),
  })
  .refine(({ cost, limit }) => cost <= limit, { path: ['cost'], message: 'must be at most `limit`' });
export type CheckLimitRequest = z.output<typeof CheckLimitRequest>;

export const CheckLimitResponse = z.object({
  allowed: z.boolean(),
  limit: Count,
  remaining: Count.nullable().describe('What may still be spent now; null when degraded.'),
  reset_at: Instant.nullable().describe('When the limit is whole again; null when degraded.'),
  retry_after_ms: Count.nullable().describe('How long to wait before the same would fit; null when it does.'),
  algorithm: z.enum(ALGORITHMS),
  degraded: z
    .literal(true)
    .optional()
    .describe('The store cannot be reached: allowed because the request says so, and not counted.'),
});
export type CheckLimitResponse = z.output<typeof CheckLimitResponse>;

export const checkLimitContract = defineContract({
  method: 'POST',
  path: '/ratelimit/{name}',
  name: 'checkLimit',
  summary: 'Check a limit of one of your own users, and count the cost when it fits',
  guard: tenant('ratelimit:check'),
  whenLimitsFail: 'open',
  idempotencyKey: 'on_request',
  params: z.object({ name: LimitName }),
  body: CheckLimitRequest,
  replies: { 200: { description: 'Whether it is allowed; also when it is not', schema: CheckLimitResponse } },
  problems: ['memory_full', 'store_full'],
});
