/** Restoring a checkpoint: what it takes and gives. */
import * as z from 'zod';
import { admin, defineContract } from '../../http/contract.ts';
import { DryRun, TenantIdField } from '../../http/fields.ts';
import { ULID } from '../../ids.ts';
import { JobAcceptedResponse } from '../../jobs/contract.ts';
import { CheckpointParams } from './checkpoint-contract.ts';

const MAX_TENANTS = 1_000;
/** Its secret may be left out: the ULID names the record. */
const SESSION = new RegExp(`^session-${ULID}(?:-[0-9a-hjkmnp-tv-z]{26})?$`);

export const RestoreRequest = z
  .strictObject({
    tenants: z
      .array(TenantIdField)
      .min(1)
      .max(MAX_TENANTS)
      .optional()
      .describe('Only these, as they were; default: all tenants of the checkpoint.'),
    session: z
      .strictObject({
        tenant_id: TenantIdField,
        session_id: z
          .string()
          .regex(SESSION, 'must be the id of a session, as session-01h…')
          .describe('With or without its secret part.'),
      })
      .optional()
      .describe('Only this session.'),
    sessions: z
      .enum(['known', 'revive'])
      .default('known')
      .describe(
        'revive: sessions of tenants that Redis has lost come back, too; also those that were ended after the checkpoint.',
      ),
    cache: z
      .boolean()
      .optional()
      .describe('false: the cache is empty afterwards. Default: as in the checkpoint. One session leaves it alone.'),
  })
  .refine(({ tenants, session }) => tenants === undefined || session === undefined, {
    path: ['session'],
    message: 'must not be given beside tenants',
  })
  .refine(({ sessions, session }) => sessions !== 'revive' || session === undefined, {
    path: ['sessions'],
    message: 'must not be given with one session',
  });
export type RestoreRequest = z.output<typeof RestoreRequest>;

export const restoreCheckpointContract = defineContract({
  method: 'POST',
  path: '/admin/state/restore/{id}',
  name: 'restoreCheckpoint',
  summary:
    'Bring data back as it was: all tenants, some, or one session; checked first, each tenant in one step, undone by restoring the safety checkpoint',
  guard: admin,
  params: CheckpointParams,
  query: z.strictObject({ dry_run: DryRun }),
  body: RestoreRequest,
  bodyMayBeAbsent: true,
  replies: {
    202: {
      description: 'A job, whose result says what changed, or would',
      schema: JobAcceptedResponse,
      headers: { location: 'The job' },
    },
  },
  problems: [
    'checkpoint_not_found',
    'tenant_not_found',
    'checkpoint_running',
    'checkpoint_foreign',
    'checkpoint_format_unknown',
    'value_corrupt',
    'job_limit_reached',
    'blob_store_unavailable',
  ],
});
