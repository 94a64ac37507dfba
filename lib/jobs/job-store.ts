/** Jobs in Redis: each call one script, one round trip. What a lost reply leaves unknown is asked for once more. */
import type { AuditEntry } from '../audit/entry.ts';
import { packEntry } from '../audit/entry.ts';
import { JobLimitError, OutcomeUnknownError } from '../errors.ts';
import type { Keys } from '../keys.ts';
import {
  cancelJob,
  claimJob,
  findDueJobs,
  heartbeatJob,
  removeJob,
  saveJob,
  startJob,
} from '../redis/bindings/job-scripts.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { runScript } from '../redis/script.ts';
import type { Job } from './job.ts';
import { type JobBody, packBody, unpackJob } from './job-format.ts';

export type JobStore = ReturnType<typeof createJobStore>;

/** How a step leaves its job. */
export type Saved =
  | { readonly status: 'running'; readonly delayMs: number; readonly attempts: number }
  | { readonly status: 'done' | 'failed' };

export interface Started {
  readonly job: Job;
  /** Jobs that wait or run, this one included. */
  readonly open: number | null;
}

/** Jobs that may wait or run at once; and of one tenant, so that none fills the queue. */
const MAX_OPEN = 10_000;
const MAX_OPEN_OF_TENANT = 100;
/** An ended job is kept so long, unless there are more. */
const KEPT_MS = 7 * 86_400_000;
const MAX_ENDED = 10_000;

export function createJobStore({ redis, keys }: { readonly redis: RedisDriver; readonly keys: Keys }) {
  const running = (id: string) => ({ job: keys.job(id), due: keys.jobsDue(), index: keys.jobIndex() });
  const all = (id: string) => ({ ...running(id), ended: keys.jobsEnded() });

  return {
    /**
     * @returns the job, or the one there was under this id; and how many are open: null where it was there before.
     * @throws {JobLimitError} too many are open.
     */
    async start(body: JobBody, tenant: string | null, signal?: AbortSignal): Promise<Started> {
      const args = { id: body.id, tenant: tenant ?? '-', json: packBody(body) };
      const limits = { maxOpen: MAX_OPEN, maxOpenOfTenant: MAX_OPEN_OF_TENANT };
      const call = { keys: running(body.id), args: { ...args, ...limits }, kind: 'write', signal } as const;
      const started = await twice(() => runScript(redis, startJob, call), signal);
      if (started === null) throw new JobLimitError('As many jobs wait or run as may: try again when some have ended');
      return { job: unpackJob(started.job), open: started.open };
    },

    /** Jobs to run and jobs to remove, by Redis' clock. */
    findDue: (limit: number, signal?: AbortSignal) =>
      runScript(redis, findDueJobs, {
        keys: { due: keys.jobsDue(), ended: keys.jobsEnded() },
        args: { limit, keptMs: KEPT_MS, maxEnded: MAX_ENDED },
        kind: 'read',
        signal,
      }),

    /** @returns null: somebody else has it, or it has ended. A lost reply is not asked for again: the lease ends. */
    async claim(id: string, leaseMs: number, signal?: AbortSignal): Promise<Job | null> {
      const call = { keys: running(id), args: { id, leaseMs }, kind: 'write', signal } as const;
      const text = await runScript(redis, claimJob, call);
      return text === null ? null : unpackJob(text);
    },

    /** @returns null: it is not the caller's any more; nothing was changed. */
    async save(job: Job, how: Saved, signal?: AbortSignal): Promise<Job | null> {
      const { delayMs, attempts } = how.status === 'running' ? how : { delayMs: 0, attempts: 0 };
      const args = { id: job.id, fence: job.fence, status: how.status, delayMs, attempts, json: packBody(job) };
      const call = { keys: all(job.id), args, kind: 'write', signal } as const;
      const text = await twice(() => runScript(redis, saveJob, call), signal);
      return text === null ? null : unpackJob(text);
    },

    /**
     * Keeps the progress of a step that is under way, and renews its lease. A lost reply is asked for again by the next.
     * @returns `moved`: it was saved since it was read, and is as it came with this; `lost`: it is not the caller's any more.
     */
    heartbeat(job: Job, leaseMs: number, signal?: AbortSignal) {
      const { id, fence, updatedAtMs: updatedMs } = job;
      const args = { id, fence, updatedMs, leaseMs, json: packBody(job) };
      const slots = { job: keys.job(id), due: keys.jobsDue() };
      return runScript(redis, heartbeatJob, { keys: slots, args, kind: 'write', signal });
    },

    /** @returns whether the caller may start the next pass: one may in so many ms. A lost reply costs the turn. */
    async takeTurn(ms: number, signal?: AbortSignal): Promise<boolean> {
      return (await redis.send(['SET', keys.jobsTurn(), 1, 'NX', 'PX', ms], { kind: 'write', signal })) === 'OK';
    },

    /** Ends it, with an entry in the audit log. */
    cancel(id: string, entry: AuditEntry, signal?: AbortSignal) {
      const slots = { ...all(id), pending: keys.auditPending(), seen: keys.auditSeen() };
      const args = { id, entryId: entry.id, entry: packEntry(entry) };
      return twice(() => runScript(redis, cancelJob, { keys: slots, args, kind: 'write', signal }), signal);
    },

    /** @returns whether it was there. */
    remove: (id: string, signal?: AbortSignal) =>
      twice(() => runScript(redis, removeJob, { keys: all(id), args: { id }, kind: 'write', signal }), signal),
  };
}

/** The scripts give the same answer again. */
async function twice<T>(call: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof OutcomeUnknownError) || signal?.aborted) throw error;
    return await call();
  }
}
