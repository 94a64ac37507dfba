/** Keeping a session alive, and giving it a new id. */
import * as z from 'zod';
import { defineContract, tenant } from '../../http/contract.ts';
import { Instant } from '../../http/fields.ts';
import { IfMatchVersion } from '../../http/number-preconditions.ts';
import { SEALING_PROBLEMS } from '../../http/sealing-problems.ts';
import {
  ETAG_HEADER,
  ROOM_PROBLEMS,
  SESSION_FIELDS,
  SESSION_PATH,
  Seconds,
  SessionChangeResponse,
  SessionParams,
  UserId,
} from './session-fields.ts';

export const TouchSessionRequest = z.strictObject({
  ttl_seconds: Seconds.optional().describe('How long it lives unused from now on; absent: as before.'),
});

export const TouchSessionResponse = z.object({ ...SessionChangeResponse.shape, last_accessed_at: Instant });
export type TouchSessionResponse = z.output<typeof TouchSessionResponse>;

export const touchSessionContract = defineContract({
  method: 'POST',
  path: `${SESSION_PATH}/touch`,
  name: 'touchSession',
  summary: 'Have a session live on without reading it; its version stays',
  guard: tenant('sessions:write'),
  // It can be repeated as it is.
  idempotencyKey: 'on_request',
  params: SessionParams,
  body: TouchSessionRequest,
  bodyMayBeAbsent: true,
  replies: { 200: { description: 'It lives on', schema: TouchSessionResponse, headers: ETAG_HEADER } },
  problems: ['session_not_found', 'session_corrupt'],
});

export const RotateSessionRequest = z.strictObject({
  user_id: UserId.nullable().optional().describe('Whose it becomes; null: nobody’s. Absent: as before.'),
});

export const RotateSessionResponse = z.object(SESSION_FIELDS);
export type RotateSessionResponse = z.output<typeof RotateSessionResponse>;

export const rotateSessionContract = defineContract({
  method: 'POST',
  path: `${SESSION_PATH}/rotate`,
  name: 'rotateSession',
  summary: 'Give a session a new id, as is due when its user signs in; the old one is dead at once',
  guard: tenant('sessions:write'),
  params: SessionParams,
  headers: z.object({
    'if-match': IfMatchVersion.optional().describe('Only in this version, as the ETag gives it. Else 409.'),
  }),
  body: RotateSessionRequest,
  bodyMayBeAbsent: true,
  replies: {
    200: {
      description: 'The session under its new id, without its data, which stays where it is',
      schema: RotateSessionResponse,
      headers: { ...ETAG_HEADER, location: 'Its path.' },
    },
  },
  problems: ['session_not_found', 'version_conflict', 'session_corrupt', ...ROOM_PROBLEMS, ...SEALING_PROBLEMS],
});
