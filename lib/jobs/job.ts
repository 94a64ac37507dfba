/** Long work: what a job is, and what runs one. */
import type { TenantId } from '../ids.ts';
import type { JobProgress, JobStatus } from './contract.ts';
import type { JobPace } from './job-pace.ts';

/** A JSON value, as a runner keeps it. */
export type Json = string | number | boolean | null | readonly Json[] | JsonFields;
export interface JsonFields {
  readonly [name: string]: Json;
}

export interface Problem {
  /** Of lib/docs/problem-codes.ts. */
  readonly code: string;
  readonly detail: string;
}

export interface Job {
  /** `job-<ulid>`: the ULID says when it was started. */
  readonly id: string;
  readonly kind: string;
  readonly tenantId: TenantId | null;
  /** What is to be done; the runner of the kind checks it. Not shown to anybody. */
  readonly params: Json;
  /** Where the next step begins; null: at the beginning. The runner's own. Not shown to anybody. */
  readonly cursor: Json;
  readonly progress: JobProgress;
  /** Of the progress; absent: no step has told any. */
  readonly pace?: JobPace;
  readonly status: JobStatus;
  /** Tries since the last saved step: one is under way, or they came to nothing. */
  readonly attempts: number;
  /** Grows with each claim. */
  readonly fence: number;
  /** Unix ms, by Redis' clock; null: not yet. */
  readonly startedAtMs: number | null;
  readonly updatedAtMs: number;
  readonly endedAtMs: number | null;
  /** Of a job that is done: what it came to. */
  readonly result?: JsonFields;
  /** Of one that failed. */
  readonly problem?: Problem;
}

/** What a step has come to. With `done`, the job has. */
export interface StepOutcome {
  readonly cursor: Json;
  readonly progress: JobProgress;
  readonly done?: JsonFields;
}

/**
 * Tells how far a step is while it runs, and so that it goes on: renews its lease, every 5 s at most, so it may be called
 * often. Never throws; when the job is not the caller's any more, the step's signal aborts. Resolves once it is kept.
 */
export type ReportProgress = (progress: JobProgress) => Promise<void>;

/** Does the work of one kind of job. */
export interface JobRunner {
  /** kebab-case, as `warm-cache`. Stored: a kind keeps its name. */
  readonly kind: string;
  /**
   * One step from `job.cursor` on: some seconds at most, for the lease is 30 s, which only `report` renews. It may be run again,
   * also after it went well: what it has done must not harm then.
   * @throws an AppError of status 429, 503 or 504 when another try may go well; any other fails the job. When `signal` aborts,
   * anything: the step is run again later, and counts as no try.
   */
  step(job: Job, signal: AbortSignal, report: ReportProgress): Promise<StepOutcome>;
}
