/** Changing data of a session: some of its keys, or one. Keys that are not named stay as they are, whoever writes them meanwhile. */
import * as z from 'zod';
import { defineContract, tenant } from '../../http/contract.ts';
import { IfMatchVersion } from '../../http/number-preconditions.ts';
import { MAX_DATA_KEYS } from '../session-rules.ts';
import {
  COLD_PROBLEMS,
  DataKey,
  ETAG_HEADER,
  ROOM_PROBLEMS,
  SESSION_PATH,
  SessionChangeResponse,
  SessionData,
  SessionParams,
} from './session-fields.ts';

export const UpdateSessionDataRequest = z
  .strictObject({
    set: SessionData.optional().describe('Values of any kind by key, kept exactly as they are sent.'),
    remove: z.array(DataKey).max(MAX_DATA_KEYS).optional().describe('Keys; one that is not there does no harm.'),
  })
  .refine(({ set = {}, remove = [] }) => Object.keys(set).length + remove.length > 0, 'must set or remove something')
  .refine(({ set = {}, remove = [] }) => !remove.some((key) => Object.hasOwn(set, key)), {
    path: ['remove'],
    message: 'must not name a key that is set',
  });

const IfVersion = z.object({
  'if-match': IfMatchVersion.optional().describe('Change it only in this version, as the ETag gives it. Else 409.'),
});
const DataKeyParams = z.object({ id: z.string(), key: DataKey });
const CHANGED = {
  200: { description: 'It is changed', schema: SessionChangeResponse, headers: ETAG_HEADER },
} as const;
const FOUND = ['session_not_found', 'version_conflict'] as const;

export const updateSessionDataContract = defineContract({
  method: 'PATCH',
  path: `${SESSION_PATH}/data`,
  name: 'updateSessionData',
  summary: 'Set and remove some of the data of a session, all in one step',
  guard: tenant('sessions:write'),
  // Most changes can be repeated as they are: keeping each answer would cost more.
  idempotencyKey: 'on_request',
  params: SessionParams,
  headers: IfVersion,
  body: UpdateSessionDataRequest,
  replies: CHANGED,
  problems: [...FOUND, ...ROOM_PROBLEMS, ...COLD_PROBLEMS],
});

export const putSessionDataContract = defineContract({
  method: 'PUT',
  path: `${SESSION_PATH}/data/{key+}`,
  name: 'putSessionData',
  summary: 'Set one data key of a session; the body is its value, in JSON',
  guard: tenant('sessions:write'),
  params: DataKeyParams,
  headers: IfVersion,
  body: 'bytes',
  replies: CHANGED,
  problems: [...FOUND, ...ROOM_PROBLEMS, ...COLD_PROBLEMS],
});

export const deleteSessionDataContract = defineContract({
  method: 'DELETE',
  path: `${SESSION_PATH}/data/{key+}`,
  name: 'deleteSessionData',
  summary: 'Remove one data key of a session; also when there is none',
  guard: tenant('sessions:write'),
  params: DataKeyParams,
  headers: IfVersion,
  replies: CHANGED,
  problems: [...FOUND, ...ROOM_PROBLEMS, ...COLD_PROBLEMS],
});
