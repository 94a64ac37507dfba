import * as z from 'zod';
import { defineContract, tenant } from '../http/contract.ts';
import { Count } from '../http/fields.ts';
import { QuotasResponse } from '../tenants/contract.ts';
import { SessionStock } from '../usage/session-stock.ts';

export const WhoAmIResponse = z.object({
  tenant_id: z.string(),
  key_id: z.string(),
  scopes: z.array(z.string()),
  limits: QuotasResponse.extend({ burst: Count }),
  left: QuotasResponse.extend({ burst: Count }).describe(
    'Bytes without what reservations hold; operations of this minute, this call counted; calls that may come at once now.',
  ),
  used: z.object({
    memory_bytes: Count,
    entries: Count,
    ...SessionStock.shape,
    operations: Count,
    bytes_in: Count,
    bytes_out: Count,
  }),
});
export type WhoAmIResponse = z.output<typeof WhoAmIResponse>;

export const whoAmIContract = defineContract({
  method: 'GET',
  path: '/whoami',
  name: 'whoAmI',
  summary: 'Who calls, what the key may do, and what is left of the limits',
  guard: tenant('none'),
  replies: { 200: { description: 'The caller', schema: WhoAmIResponse } },
  problems: [],
});
