/** The list of a namespace: what it takes and gives. */
import * as z from 'zod';
import { defineContract, tenant } from '../http/contract.ts';
import { PageSize } from '../http/paging.ts';
import { MAX_KEY_BYTES } from '../keys.ts';
import { ENTRY_FIELDS, NAMESPACE_PATH, NamespaceParams } from './batch/batch-contract.ts';
import { isKey } from './entry-rules.ts';

const ListEntriesQuery = z.strictObject({
  prefix: z
    .string()
    .refine((text) => text === '' || isKey(text), `must be at most ${MAX_KEY_BYTES} bytes of well-formed text`)
    .optional()
    .describe('What the keys begin with.'),
  limit: PageSize,
  cursor: z
    .string()
    .regex(/^[\w-]{1,1500}$/, 'must be the next_cursor of a page')
    .optional(),
});

export const ListEntriesResponse = z.object({
  items: z
    .array(z.object({ key: z.string(), ...ENTRY_FIELDS }))
    .describe('In the order of the bytes of their keys; also keys that cannot stand in a path.'),
  next_cursor: z.string().nullable().describe('Null: there is no more. A page may be short and still have one.'),
});
export type ListEntriesResponse = z.output<typeof ListEntriesResponse>;

export const listEntriesContract = defineContract({
  method: 'GET',
  path: NAMESPACE_PATH,
  name: 'listEntries',
  summary: 'List the entries of a namespace, without their values',
  guard: tenant('cache:read'),
  params: NamespaceParams,
  query: ListEntriesQuery,
  replies: { 200: { description: 'A page', schema: ListEntriesResponse } },
  problems: [],
});
