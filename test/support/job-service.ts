/** Jobs of a kind that only tests know: it counts to a number, a step each. */
import type { App } from '../../lib/app.ts';
import { newUlid } from '../../lib/ids.ts';
import type { Job, JobRunner, ReportProgress, StepOutcome } from '../../lib/jobs/job.ts';
import { unpackJob } from '../../lib/jobs/job-format.ts';
import { createJobs, type JobsDeps, type StartJob } from '../../lib/jobs/jobs.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import type { FailpointHook } from '../../lib/redis/failpoints.ts';
import { type Transport, testApp } from './app.ts';
import { keysOf } from './tenant-state.ts';

export const KIND = 'count-up';

/** What a step of the job does before it counts; `at`: how far it is. Throws, waits, reports, or nothing. */
export type StepHook = (at: number, job: Job, signal: AbortSignal, report: ReportProgress) => unknown;

/** Counts to `params`, one a step. A step that is run again counts the same. */
export function countingRunner(hook: StepHook = () => {}): JobRunner {
  return {
    kind: KIND,
    async step(job, signal, report): Promise<StepOutcome> {
      const at = Number(job.cursor ?? 0);
      await hook(at, job, signal, report);
      const total = Number(job.params);
      const next = { cursor: at + 1, progress: { done: at + 1, total, unit: 'steps' } };
      return at + 1 === total ? { ...next, done: { counted: total } } : next;
    },
  };
}

/** Jobs on an app's ports. */
export function jobsOn(app: App, { hook, now = Date.now, ...more }: JobOptions = {}) {
  return createJobs({
    redis: app.redis,
    keys: keysOf(app),
    runners: [countingRunner(hook)],
    telemetry,
    now,
    ...more,
  });
}

export interface JobOptions extends Partial<Pick<JobsDeps, 'leaseMs' | 'runs' | 'hostStop'>> {
  readonly hook?: StepHook;
  readonly now?: () => number;
}

export const counting = (to: number, more: Partial<StartJob> = {}): StartJob => ({
  kind: KIND,
  tenantId: null,
  params: to,
  unit: 'steps',
  ...more,
});

/** A deployment of its own. */
export async function jobService(
  options: JobOptions & { readonly transport?: Transport; readonly failpoint?: FailpointHook } = {},
) {
  const { transport = 'tcp', failpoint } = options;
  const env = { PERSISTENCE_CACHE_KEY_PREFIX: `jb-${newUlid(Date.now())}` };
  const app = await testApp({ transport, env, ...(failpoint === undefined ? {} : { failpoint }) });
  return { app, jobs: jobsOn(app, options), keys: keysOf(app) };
}

/** As when the lease of whoever has it, or its wait, has ended. */
export async function endLease(app: App, id: string): Promise<void> {
  await app.redis.send(['ZADD', keysOf(app).jobsDue(), 'XX', 0, id], { kind: 'write' });
}

export async function storedJob(app: App, id: string): Promise<Job> {
  return unpackJob(String(await app.redis.send(['GET', keysOf(app).job(id)], { kind: 'read' })));
}

/** Jobs of a deployment wherever they are named: none is named that is not kept. */
export async function namedJobs(app: App) {
  const keys = keysOf(app);
  const commands = [keys.jobsDue(), keys.jobsEnded(), keys.jobIndex()].map((key) => ['ZRANGE', key, 0, -1] as const);
  const [due, ended, listed] = (await app.redis.sendAll(commands, { kind: 'read' })) as unknown as string[][];
  return { due: due ?? [], ended: ended ?? [], listed: listed ?? [] };
}
