/** What a tenant's sessions take, as usage shows it beside its memory and storage. */
import * as z from 'zod';
import type { Counters } from '../gate/counters.ts';
import { Count } from '../http/fields.ts';

export const SessionStock = z.object({
  sessions: Count.describe('That live, in Redis and in S3.'),
  spilled_sessions: Count.describe('Of them, in S3.'),
  session_memory_bytes: Count.describe('Of the memory: sessions in Redis.'),
  spilled_bytes: Count.describe('Of the storage: sessions in S3.'),
});
export type SessionStock = z.output<typeof SessionStock>;

/** Counters of sessions. They are stocks: what is there now, not what was done. */
export type SessionCounters = Pick<Counters, 'sessions' | 'hotSessionBytes' | 'spilledSessions' | 'spilledBytes'>;

export const sessionStock = (counters: SessionCounters): SessionStock => ({
  sessions: counters.sessions,
  spilled_sessions: counters.spilledSessions,
  session_memory_bytes: counters.hotSessionBytes,
  spilled_bytes: counters.spilledBytes,
});
