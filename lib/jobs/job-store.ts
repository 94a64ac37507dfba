/** Jobs in Redis: each call one script, one round trip. What a lost reply leaves unknown is asked for once more. */
import type { AuditEntry } from '../audit/entry.ts';
import { packEntry } from '../audit/entry.ts';
import { JobLimitError, OutcomeUnknownError } from '../errors.ts';
import type { Keys } from '../keys.ts';
import { cancelJob, claimJob, findDueJobs, removeJob, saveJob, startJob } from '../redis/bindings/job-scripts.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { runScript } from '../redis/script.ts';
import type { Job } from './job.ts';
import { type JobBody, packBody, unpackJob } from './job-format.ts';

export type JobStore = ReturnType<typeof createJobStore>;

/** How a step leaves its job. */
export type Saved =
  | { readonly status: 'running'; readonly delayMs: number; readonly attempts: number }
  | { readonly status: 'done' | 'failed' };

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
    /** @returns the job, or the one there was under this id. @throws {JobLimitError} too many are open. */
    async start(body: JobBody, tenant: string | null, signal?: AbortSignal): Promise<Job> {
      const args = { id: body.id, tenant: tenant ?? '-', json: packBody(body) };
      const limits = { maxOpen: MAX_OPEN, maxOpenOfTenant: MAX_OPEN_OF_TENANT };
      const call = { keys: running(body.id), args: { ...args, ...limits }, kind: 'write', signal } as const;
      const text = await twice(() => runScript(redis, startJob, call), signal);
      if (text === null) throw new JobLimitError('As many jobs wait or run as may: try again when some have ended');
      return unpackJob(text);
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
