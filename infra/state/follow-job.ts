/** Follows a job until it has ended, and shows how far it is. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from '../../lib/client/client.ts';
import type { JobResponse } from '../../lib/jobs/contract.ts';
import { progressBar, progressLine } from './progress-text.ts';
import { answerOf, type Result } from './service-calls.ts';

const ASKED_EVERY_MS = 300;
const TOLD_EVERY_MS = 5_000;

export interface Screen {
  /** Bars are drawn over themselves; else a line now and then. */
  readonly isTerminal: boolean;
  /** Letters of a line: one that is longer could not be drawn over. */
  readonly columns: number;
  write(text: string): void;
}

/** The person does not wait any longer, or the service does not answer; the job goes on. */
export class LeftAloneError extends Error {
  readonly jobId: string;
  constructor(jobId: string, why = '') {
    super(`${why}The job goes on. To follow it: npm run state -- follow ${jobId}`);
    this.jobId = jobId;
  }
}

/** It has failed, or was cancelled. */
export class JobFailedError extends Error {}

export interface Following {
  readonly client: Client;
  readonly screen: Screen;
  /** Aborts with Ctrl-C. */
  readonly signal: AbortSignal;
}

/**
 * @param label what it does. @returns what it came to.
 * @throws {LeftAloneError} `signal` aborted, or the service does not answer. @throws {JobFailedError}
 * @throws {LocalServiceError} there is no such job, or it may not be seen.
 */
export async function followJob(id: string, label: string, { client, screen, signal }: Following): Promise<Result> {
  const show = createDisplay(label, screen);
  try {
    for (;;) {
      if (signal.aborted) throw new LeftAloneError(id);
      const job = await jobOf(id, client);
      show.job(job);
      if (job.status === 'done') return job.result ?? {};
      if (job.status === 'failed' || job.status === 'cancelled') throw endedBadly(job);
      await wait(ASKED_EVERY_MS, undefined, { signal }).catch(() => {});
    }
  } finally {
    show.end();
  }
}

/** Once started a job is finished by whoever runs: a service that stops takes it from nobody. */
async function jobOf(id: string, client: Client): Promise<JobResponse> {
  const answer = await client.getJob({ params: { id } });
  const isGone = !answer.ok && (answer.status === 0 || answer.status >= 500);
  if (isGone) throw new LeftAloneError(id, `The service does not answer (${answer.problem.code}). `);
  return answerOf(Promise.resolve(answer));
}

const endedBadly = ({ id, status, problem }: JobResponse) => {
  const why = problem === undefined ? '' : `: ${problem.detail} (${problem.code})`;
  return new JobFailedError(`The job ${id} ${status === 'failed' ? 'has failed' : 'was cancelled'}${why}`);
};

function createDisplay(label: string, { isTerminal, columns, write }: Screen) {
  const startedAt = performance.now();
  let [width, toldAt] = [0, Number.NEGATIVE_INFINITY];

  const draw = (job: JobResponse) => {
    const line = progressBar(label, job, performance.now() - startedAt).slice(0, columns - 1);
    write(`\r${line.padEnd(width)}`);
    width = line.length;
  };

  const tell = (job: JobResponse) => {
    const isOver = job.status !== 'queued' && job.status !== 'running';
    if (!isOver && performance.now() - toldAt < TOLD_EVERY_MS) return;
    toldAt = performance.now();
    write(`${progressLine(label, job, toldAt - startedAt)}\n`);
  };

  return {
    job: isTerminal ? draw : tell,
    end: () => {
      if (isTerminal && width > 0) write('\n');
    },
  };
}
