/** Removing a value: what it takes and gives. Apart from contract.ts for the cold start of a read, as put-contract.ts is. */
import * as z from 'zod';
import { defineContract, tenant } from '../http/contract.ts';
import { Count, DryRun } from '../http/fields.ts';
import { IfMatch } from '../http/preconditions.ts';
import { ENTRY_PATH, EntryParams, LeaseToken } from './contract.ts';

export const PreviewDeleteResponse = z.object({
  would_remove: z.int().min(0).max(1),
  bytes: Count.describe("What removing it would give back of the tenant's memory."),
});
export type PreviewDeleteResponse = z.output<typeof PreviewDeleteResponse>;

export const deleteEntryContract = defineContract({
  method: 'DELETE',
  path: ENTRY_PATH,
  name: 'deleteEntry',
  summary: 'Remove a value; also when there is none',
  guard: tenant('cache:write'),
  params: EntryParams,
  query: z.strictObject({ dry_run: DryRun }),
  headers: z.object({
    'if-match': IfMatch.optional(),
    'riptide-lease': LeaseToken.optional().describe(
      'Gives this lease back, and removes nothing: the next who asks may load.',
    ),
  }),
  replies: {
    200: { description: 'A dry run: what would be removed', schema: PreviewDeleteResponse },
    204: { description: 'It is gone' },
  },
  problems: ['precondition_failed'],
});
