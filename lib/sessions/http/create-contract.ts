/** Making a session. */
import * as z from 'zod';
import { defineContract, tenant } from '../../http/contract.ts';
import { SEALING_PROBLEMS } from '../../http/sealing-problems.ts';
import { SESSION_ID } from '../../ids.ts';
import { MAX_ATTRIBUTE_CHARACTERS, MAX_ATTRIBUTES, MAX_METADATA_CHARACTERS } from '../session-rules.ts';
import { ETAG_HEADER, ROOM_PROBLEMS, Seconds, SessionData, SessionResponse, UserId } from './session-fields.ts';

const known = (max: number) =>
  z
    .string()
    .max(max)
    .refine((text) => text.isWellFormed(), 'must be well-formed Unicode');

const AttributeText = known(MAX_ATTRIBUTE_CHARACTERS);

const Metadata = z.strictObject({
  client_ip: known(MAX_METADATA_CHARACTERS).optional(),
  user_agent: known(MAX_METADATA_CHARACTERS).optional(),
  source: known(MAX_METADATA_CHARACTERS).optional(),
  attributes: z
    .record(AttributeText, AttributeText)
    .refine((attributes) => Object.keys(attributes).length <= MAX_ATTRIBUTES, `must have at most ${MAX_ATTRIBUTES}`)
    .optional(),
});

export const CreateSessionRequest = z.strictObject({
  id: z
    .string()
    .regex(SESSION_ID, 'must be the whole id of a session')
    .optional()
    .describe('Default: a new one. One of your own must be as hard to guess; while a session has it, and after, 409.'),
  user_id: UserId.nullable().optional().describe('Whose it is; null: nobody has signed in.'),
  metadata: Metadata.optional().describe('What is known of who uses it. Given once.'),
  ttl_seconds: Seconds.optional().describe('How long it lives unused. The tenant has a default, and a longest.'),
  max_lifetime_seconds: Seconds.optional().describe(
    'How long it lives, however often it is used. Default: the longest.',
  ),
  data: SessionData.optional().describe('Values of any kind by key, kept exactly as they are sent.'),
});

export const createSessionContract = defineContract({
  method: 'POST',
  path: '/sessions',
  name: 'createSession',
  summary: 'Make a session',
  guard: tenant('sessions:write'),
  // The answer would be kept longer than most sessions live.
  idempotencyKey: 'on_request',
  body: CreateSessionRequest,
  bodyMayBeAbsent: true,
  replies: {
    201: {
      description: 'It is there',
      schema: SessionResponse,
      headers: { ...ETAG_HEADER, location: 'Its path.' },
    },
  },
  problems: ['session_exists', 'session_terminated', ...ROOM_PROBLEMS, 'reply_too_large', ...SEALING_PROBLEMS],
});
