/** The sessions of a user. */
import * as z from 'zod';
import { defineContract, tenant } from '../../http/contract.ts';
import { Count } from '../../http/fields.ts';
import { PageSize } from '../../http/paging.ts';
import { SEALING_PROBLEMS } from '../../http/sealing-problems.ts';
import { ULID } from '../../ids.ts';
import { SESSION_FIELDS, UserId } from './session-fields.ts';

const ListSessionsQuery = z.strictObject({
  user_id: UserId.describe('Whose sessions.'),
  limit: PageSize,
  cursor: z
    .string()
    .regex(new RegExp(`^${ULID}$`), 'must be the next_cursor of a page')
    .optional(),
});

const ListedSession = z.object({
  ...SESSION_FIELDS,
  data_bytes: Count.describe('Of its data: keys and values as stored.'),
  tier: z.enum(['hot', 'cold']).describe('Where its data is: in Redis, or in S3.'),
});
export type ListedSession = z.output<typeof ListedSession>;

export const ListSessionsResponse = z.object({
  items: z.array(ListedSession).describe('In the order they were made, without their data.'),
  next_cursor: z.string().nullable().describe('Null: there is no more. A page may be short and still have one.'),
});
export type ListSessionsResponse = z.output<typeof ListSessionsResponse>;

export const listSessionsContract = defineContract({
  method: 'GET',
  path: '/sessions',
  name: 'listSessions',
  summary: 'List the sessions of a user',
  guard: tenant('sessions:read'),
  query: ListSessionsQuery,
  replies: { 200: { description: 'A page', schema: ListSessionsResponse } },
  problems: ['session_corrupt', ...SEALING_PROBLEMS],
});
