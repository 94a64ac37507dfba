/**
 * A stored job: a head that scripts look at and change (redis/scripts/includes/job.lua), and JSON that only the instance which
 * runs it changes. A golden sample is in test/fixtures/stored-formats.json.
 */
import { parseTenantId, ulidTimeMs } from '../ids.ts';
import { isoOf } from '../iso-time.ts';
import type { JobProgress, JobResponse, JobStatus } from './contract.ts';
import type { Job, Json, JsonFields, Problem } from './job.ts';
import { etaSeconds, type JobPace, percentOf } from './job-pace.ts';

const HEAD = /^j1,([a-z]+),(\d+),(\d+),(\d+),(\d+),(\d+),([\w-]+)\n(.*)$/s;

/** What is stored as JSON. */
export interface JobBody {
  readonly id: string;
  readonly kind: string;
  readonly params: Json;
  readonly cursor: Json;
  readonly progress: JobProgress;
  readonly pace?: JobPace;
  readonly result?: JsonFields;
  readonly problem?: Problem;
}

/** The JSON of a job. */
export function packBody({ id, kind, params, cursor, progress, pace, result, problem }: JobBody): string {
  return JSON.stringify({ id, kind, params, cursor, progress, pace, result, problem });
}

/** @throws {RangeError | SyntaxError} not written by a script. */
export function unpackJob(text: string): Job {
  const match = HEAD.exec(text);
  if (match === null) throw new RangeError('Not a job');
  const [, status, fence, attempts, updatedMs, startedMs, endedMs, tenant = '', json = ''] = match;
  return {
    ...(JSON.parse(json) as JobBody),
    status: status as JobStatus,
    tenantId: parseTenantId(tenant),
    attempts: Number(attempts),
    fence: Number(fence),
    updatedAtMs: Number(updatedMs),
    startedAtMs: Number(startedMs) || null,
    endedAtMs: Number(endedMs) || null,
  };
}

/** What callers see. Parameters and cursor may hold a tenant's names, so they do not. */
export function jobResponse(job: Job, nowMs: number): JobResponse {
  const { id, kind, tenantId, status, progress, attempts, updatedAtMs, startedAtMs, endedAtMs, result, problem } = job;
  return {
    id,
    kind,
    tenant_id: tenantId,
    status,
    progress,
    percent: percentOf(progress),
    eta_seconds: etaSeconds(job, nowMs),
    attempts,
    created_at: isoOf(ulidTimeMs(id.slice(id.indexOf('-') + 1))),
    updated_at: isoOf(updatedAtMs),
    ...(startedAtMs === null ? {} : { started_at: isoOf(startedAtMs), heartbeat_at: isoOf(updatedAtMs) }),
    ...(endedAtMs === null ? {} : { ended_at: isoOf(endedAtMs) }),
    ...(result === undefined ? {} : { result }),
    ...(problem === undefined ? {} : { problem }),
  };
}
