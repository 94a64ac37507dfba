/** Bringing sessions back from S3 before they are read. */
import * as z from 'zod';
import { defineContract, tenant } from '../../http/contract.ts';
import { MAX_PREFETCHED } from '../session-rules.ts';
import { UserId } from './session-fields.ts';

export const PrefetchSessionsRequest = z
  .strictObject({
    ids: z.array(z.string()).min(1).max(MAX_PREFETCHED).optional().describe('Of any sessions.'),
    user_id: UserId.optional().describe(`The first ${MAX_PREFETCHED} sessions of this user.`),
  })
  .refine(({ ids, user_id }) => (ids === undefined) !== (user_id === undefined), {
    message: 'must have exactly one of ids and user_id',
  });
export type PrefetchSessionsRequest = z.output<typeof PrefetchSessionsRequest>;

export const PrefetchSessionsResponse = z.object({
  items: z
    .array(
      z.object({
        id: z.string(),
        status: z
          .enum(['hot', 'restored', 'cold', 'not_found'])
          .describe(
            'hot: it was in Redis; restored: it is now; cold: it stays in S3, for there is no room or S3 does not have it now.',
          ),
      }),
    )
    .describe('As they were asked for; of a user, in the order they were made.'),
});
export type PrefetchSessionsResponse = z.output<typeof PrefetchSessionsResponse>;

export const prefetchSessionsContract = defineContract({
  method: 'POST',
  path: '/sessions/prefetch',
  name: 'prefetchSessions',
  summary: 'Bring sessions back from S3 before they are read, as far as there is room. They live no longer for it',
  guard: tenant('sessions:read'),
  idempotencyKey: 'on_request',
  body: PrefetchSessionsRequest,
  replies: { 200: { description: 'What became of each', schema: PrefetchSessionsResponse } },
  problems: [],
});
