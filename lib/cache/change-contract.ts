/** Changing an entry where it stands: adding to a number, another lifetime. */
import * as z from 'zod';
import { defineContract, tenant } from '../http/contract.ts';
import { Instant } from '../http/fields.ts';
import { IfMatch } from '../http/preconditions.ts';
import { SEALING_PROBLEMS } from '../http/sealing-problems.ts';
import { ENTRY_PATH, EntryParams } from './contract.ts';
import { Grace, Ttl } from './put-contract.ts';

const LIFETIME = {
  etag: z.string().describe('As in the ETag header, quotes included.'),
  expires_at: Instant.nullable().describe('When it is gone; null: never.'),
  fresh_until: Instant.nullable().describe('When it goes stale; null: it is fresh as long as it lives.'),
};

export const IncrementEntryResponse = z.object({
  value: z.int().describe('The number after it.'),
  created: z.boolean(),
  ...LIFETIME,
});
export type IncrementEntryResponse = z.output<typeof IncrementEntryResponse>;

export const incrementEntryContract = defineContract({
  method: 'POST',
  path: ENTRY_PATH,
  name: 'incrementEntry',
  summary: 'Add to a whole number, in one step; one that is not there begins at 0',
  guard: tenant('cache:write'),
  params: EntryParams,
  query: z.strictObject({
    increment: z
      .string()
      .regex(/^-?\d{1,16}$/, 'must be a whole number')
      .transform(Number)
      .pipe(z.int())
      .describe('What to add; below 0 to take away.'),
    ttl_seconds: Ttl.optional().describe('Of a number that is new; one that is there keeps its lifetime.'),
    grace_seconds: Grace.optional(),
  }),
  replies: { 200: { description: 'The number', schema: IncrementEntryResponse } },
  problems: ['not_a_number', 'number_out_of_range', 'contended', 'memory_full', 'store_full', ...SEALING_PROBLEMS],
});

export const TouchEntryResponse = z.object(LIFETIME);
export type TouchEntryResponse = z.output<typeof TouchEntryResponse>;

export const touchEntryContract = defineContract({
  method: 'PATCH',
  path: ENTRY_PATH,
  name: 'touchEntry',
  summary: 'Give an entry another lifetime, from now on; its value and ETag stay',
  guard: tenant('cache:write'),
  params: EntryParams,
  query: z.strictObject({ ttl_seconds: Ttl, grace_seconds: Grace.optional() }),
  headers: z.object({ 'if-match': IfMatch.optional() }),
  replies: { 200: { description: 'Its lifetime now', schema: TouchEntryResponse } },
  problems: ['entry_not_found', 'precondition_failed', 'memory_full', 'store_full'],
});
