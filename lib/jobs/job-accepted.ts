import type { Result } from '../http/result.ts';
import type { JobAcceptedResponse } from './contract.ts';
import type { Job } from './job.ts';

/** 202: the work goes on as a job, to be followed at `Location`, which takes the key of who asked for it. */
export function jobAccepted({ id }: Pick<Job, 'id'>, whose: 'admin' | 'tenant'): Result {
  const data: JobAcceptedResponse = { job_id: id };
  return { status: 202, headers: { location: `${whose === 'admin' ? '/admin' : ''}/jobs/${id}` }, data };
}
