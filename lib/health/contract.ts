import * as z from 'zod';
import { defineContract, open } from '../http/contract.ts';

export const LiveResponse = z.object({ status: z.literal('live') });

export const ReadyResponse = z.object({
  status: z.enum(['ready', 'degraded', 'unavailable']),
  components: z.object({ redis: z.enum(['up', 'down']), s3: z.enum(['up', 'down']) }),
  detail: z.string().optional().describe('What does not work meanwhile.'),
});
export type ReadyResponse = z.output<typeof ReadyResponse>;

export const checkLiveContract = defineContract({
  method: 'GET',
  path: '/health/live',
  name: 'checkLive',
  summary: 'Whether the service runs',
  guard: open,
  replies: { 200: { description: 'It runs', schema: LiveResponse } },
  problems: [],
});

export const checkReadyContract = defineContract({
  method: 'GET',
  path: '/health/ready',
  name: 'checkReady',
  summary: 'Whether the service can do its work, and what is missing',
  guard: open,
  replies: {
    200: { description: 'It can, perhaps degraded', schema: ReadyResponse },
    503: { description: 'It cannot: Redis is down', schema: ReadyResponse },
  },
  problems: [],
});
