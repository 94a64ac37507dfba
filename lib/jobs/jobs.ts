/** Long work: started by a request, run in slices by a schedule, followed and cancelled meanwhile. */
import { newAuditEntry } from '../audit/entry.ts';
import { BodyTooLargeError, JobEndedError, NotFoundError } from '../errors.ts';
import { newJobId, newUlid, type TenantId } from '../ids.ts';
import type { Keys } from '../keys.ts';
import type { Telemetry } from '../metrics/telemetry.ts';
import type { RedisDriver } from '../redis/driver.ts';
import type { hostStop as processStop } from '../shutdown/host-stop.ts';
import { type AdminCall, originOf } from '../tenants/admin-call.ts';
import type { JobListResponse, JobResponse } from './contract.ts';
import type { Job, JobRunner, Json } from './job.ts';
import { jobResponse, packBody, unpackJob } from './job-format.ts';
import { createJobPass, type JobsReport } from './job-pass.ts';
import { createJobReader, type JobQuery } from './job-reader.ts';
import { createJobSlice } from './job-slice.ts';
import { createJobStore } from './job-store.ts';
import { createNextPass, type JobRuns } from './next-pass.ts';

export type Jobs = ReturnType<typeof createJobs>;

export interface JobsDeps {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly runners: readonly JobRunner[];
  readonly telemetry: Telemetry;
  /** Unix ms: for ids and for how long a slice lasts; leases and what is due go by Redis' clock. */
  readonly now: () => number;
  /** Default: 30 s. */
  readonly leaseMs?: number;
  /** Starts a pass at once; where there is none, the schedule begins. */
  readonly runs?: JobRuns;
  /** Of a long-running host; jobs are handed over when it stops. */
  readonly hostStop?: Pick<typeof processStop, 'find' | 'with'>;
}

export interface StartJob {
  readonly kind: string;
  readonly tenantId: TenantId | null;
  /** 256 KiB of JSON at most. */
  readonly params: Json;
  /** What its progress counts, as `entries`. */
  readonly unit: string;
  /** A ULID, the operation's: started again under it, the job is the same one. Default: a new one. */
  readonly opId?: string;
  /** Runs the first steps in the call, until so many ms have passed. Default: 0, a pass that is started at once begins. */
  readonly inlineMs?: number;
  readonly signal?: AbortSignal | undefined;
}

const LEASE_MS = 30_000;
const MAX_BODY_BYTES = 262_144;
const NEVER = new AbortController().signal;
/** While more are open, passes are under way or all wait: to start one more for each would be a storm. */
const MAX_STARTED = 16;
/** Of a deployment without a function, and of a process without a host. */
const NO_RUNS: JobRuns = { isPossible: () => false, start: async () => {} };

export function createJobs(deps: JobsDeps) {
  const { redis, keys, runners, telemetry, now, leaseMs = LEASE_MS, runs = NO_RUNS, hostStop } = deps;
  const store = createJobStore({ redis, keys });
  const reader = createJobReader({ redis, keys });
  const onError = (id: string, error: unknown) =>
    telemetry.logger.error('A job could not go on', {
      job: id,
      reason: error instanceof Error ? error.name : 'unknown',
    });
  const onFailure = ({ id }: Job, error: unknown) => onError(id, error);
  const onHandedOver = () => {
    const stop = hostStop?.find();
    if (stop?.signal.aborted) stop.noteHandedOver();
  };
  const slice = createJobSlice({ store, runners, leaseMs, onFailure, onHandedOver, now });
  const nextPass = createNextPass({ store, runs });
  const pass = createJobPass({ store, slice, leaseMs, onError, now });

  const find = async (id: string, signal?: AbortSignal): Promise<Job> => {
    const job = await reader.find(id, signal);
    if (job === null) throw new NotFoundError('job_not_found', 'No such job');
    return job;
  };

  /** Whatever goes wrong here, the job is kept, and the schedule goes on with it. */
  const runInline = async (job: Job, inlineMs: number, requested: AbortSignal): Promise<Job> => {
    const signal = hostStop?.with(requested) ?? requested;
    try {
      const claimed = await store.claim(job.id, leaseMs, signal);
      if (claimed === null) return job;
      return (await slice(claimed, { signal, untilMs: now() + inlineMs })) ?? job;
    } catch (error) {
      onFailure(job, error);
      return job;
    }
  };

  return {
    /**
     * Keeps the job, and so that it will be run; one round trip, and the start of a pass. With `inlineMs` it may be done when this
     * returns.
     * @throws {JobLimitError} 10,000 jobs are open, or 100 of the tenant. @throws {BodyTooLargeError} of `params`.
     */
    async start({ kind, tenantId, params, unit, opId, inlineMs = 0, signal = NEVER }: StartJob): Promise<Job> {
      const id = newJobId(opId ?? newUlid(now()));
      const body = { id, kind, params, cursor: null, progress: { done: 0, total: null, unit } };
      if (Buffer.byteLength(packBody(body)) > MAX_BODY_BYTES)
        throw new BodyTooLargeError(`What is asked for at once may have ${MAX_BODY_BYTES} bytes`);
      const { job, open } = await store.start(body, tenantId, signal);
      const begun = inlineMs > 0 && job.status === 'queued' ? await runInline(job, inlineMs, signal) : job;
      const isLeft = begun.status === 'queued' || begun.status === 'running';
      if (isLeft && (open ?? 0) <= MAX_STARTED) await runs.start();
      return begun;
    },

    /** @throws {NotFoundError} */
    get: async (id: string, signal?: AbortSignal): Promise<JobResponse> => jobResponse(await find(id, signal), now()),

    /** A page, newest first; two round trips. */
    async list(query: JobQuery, signal?: AbortSignal): Promise<JobListResponse> {
      const { items, nextCursor } = await reader.list(query, signal);
      return { items: items.map((job) => jobResponse(job, now())), next_cursor: nextCursor };
    },

    /**
     * Ends a job that waits or runs; what a step that is under way has done stays done. Again, it changes nothing. Two round
     * trips. @throws {NotFoundError} @throws {JobEndedError} it is done, or has failed.
     */
    async cancel(id: string, call: AdminCall): Promise<JobResponse> {
      const { kind, tenantId } = await find(id, call.signal);
      const entry = newAuditEntry({
        ...(call.ulid === undefined ? {} : { id: call.ulid }),
        action: 'job.cancel',
        tenantId,
        ...originOf(call),
        details: { job: id, kind },
        now: now(),
      });
      const outcome = await store.cancel(id, entry, call.signal);
      if (outcome.state === 'no_job') throw new NotFoundError('job_not_found', 'No such job');
      if (outcome.state === 'ended')
        throw new JobEndedError('The job is done or has failed: nothing is left to cancel');
      return jobResponse(unpackJob(outcome.job), now());
    },

    /**
     * Runs what is due until nothing is, or `signal` aborts: then it starts the next pass. Removes ended jobs whose time is over.
     * Safe to run beside itself. @param link as linkOf tells it.
     */
    async run(signal: AbortSignal = NEVER, link = 0): Promise<JobsReport> {
      const report = await pass(signal);
      if (!hostStop?.find()?.signal.aborted) await nextPass(report, link);
      return report;
    },
  };
}
