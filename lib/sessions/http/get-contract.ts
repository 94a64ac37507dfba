/** Reading a session. Apart from the others: a cold start of a read builds no schema it does not need. */
import * as z from 'zod';
import { defineContract, tenant } from '../../http/contract.ts';
import { Switch } from '../../http/fields.ts';
import { IfNoneMatchVersion } from '../../http/number-preconditions.ts';
import { COLD_PROBLEMS, ETAG_HEADER, SESSION_PATH, SessionParams, SessionResponse } from './session-fields.ts';

const READ_HEADERS = { ...ETAG_HEADER, 'riptide-expires-at': 'ISO 8601, unless it is used before.' };

export const getSessionContract = defineContract({
  method: 'GET',
  path: SESSION_PATH,
  name: 'getSession',
  summary: 'Read a session with its data, and have it live on',
  guard: tenant('sessions:read'),
  params: SessionParams,
  query: z.strictObject({ touch: Switch.describe('false: it is only looked at, and does not live longer for it.') }),
  headers: z.object({ 'if-none-match': IfNoneMatchVersion.optional().describe('Of a version the caller has: 304.') }),
  replies: {
    200: { description: 'The session', schema: SessionResponse, headers: READ_HEADERS },
    304: { description: 'The caller has this version', headers: READ_HEADERS },
  },
  problems: ['session_not_found', 'reply_too_large', ...COLD_PROBLEMS],
});
