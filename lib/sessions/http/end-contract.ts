/** Ending sessions: one, or those of a user. */
import * as z from 'zod';
import { defineContract, tenant } from '../../http/contract.ts';
import { Count, DryRun } from '../../http/fields.ts';
import { SESSION_ID } from '../../ids.ts';
import { SESSION_PATH, SessionParams, UserId } from './session-fields.ts';

export const PreviewDeleteSessionResponse = z.object({ would_terminate: Count });
export type PreviewDeleteSessionResponse = z.output<typeof PreviewDeleteSessionResponse>;

export const deleteSessionContract = defineContract({
  method: 'DELETE',
  path: SESSION_PATH,
  name: 'deleteSession',
  summary: 'End a session for good: nothing brings it back',
  guard: tenant('sessions:write'),
  params: SessionParams,
  query: z.strictObject({ dry_run: DryRun }),
  replies: {
    200: { description: 'A dry run: what would be ended', schema: PreviewDeleteSessionResponse },
    204: { description: 'It is ended; or was before, and could still have lived' },
  },
  problems: ['session_not_found', 'session_corrupt'],
});

const More = z.boolean().describe('true: there may be more than one call ends. Call again.');

export const DeleteSessionsResponse = z.object({
  terminated: Count.optional(),
  would_terminate: Count.optional().describe('Of a dry run, in place of `terminated`.'),
  more: More,
});
export type DeleteSessionsResponse = z.output<typeof DeleteSessionsResponse>;

const DeleteSessionsQuery = z.strictObject({
  user_id: UserId.describe('Whose sessions.'),
  except: z
    .string()
    .regex(SESSION_ID, 'must be the whole id of a session')
    .optional()
    .describe(
      'The id, as it is now, of one that stays: of who asks for the others to be ended. Any other spares none.',
    ),
  dry_run: DryRun,
});

export const deleteSessionsContract = defineContract({
  method: 'DELETE',
  path: '/sessions',
  name: 'deleteSessions',
  summary: 'End the sessions a user has now',
  guard: tenant('sessions:write'),
  query: DeleteSessionsQuery,
  replies: { 200: { description: 'How many were ended, or would be', schema: DeleteSessionsResponse } },
  problems: ['session_corrupt'],
});
