/** A tenant's look at its own jobs. Those of others are not there: 404 alike, after the same calls. */
import { NotFoundError } from '../errors.ts';
import type { Caller } from '../gate/caller.ts';
import type { Gate } from '../gate/gate.ts';
import { checkKey } from '../redis/bindings/key-scripts.ts';
import type { JobResponse } from './contract.ts';
import { jobResponse } from './job-format.ts';
import type { JobReader } from './job-reader.ts';

export type OwnJobs = ReturnType<typeof createOwnJobs>;

export function createOwnJobs(deps: {
  readonly gate: Gate;
  readonly reader: Pick<JobReader, 'find'>;
  /** Unix ms. */
  readonly now: () => number;
}) {
  const { gate, reader, now } = deps;

  return {
    /** One operation, two round trips. @throws {NotFoundError} no job of the caller's tenant. @throws as Gate.run. */
    async get(caller: Caller, id: string): Promise<JobResponse> {
      await gate.run(caller, {
        script: checkKey,
        scope: 'none',
        kind: 'read',
        keys: () => ({}),
        args: () => ({}),
      });
      const job = await reader.find(id, caller.signal);
      if (job === null || job.tenantId !== caller.tenantId) throw new NotFoundError('job_not_found', 'No such job');
      return jobResponse(job, now());
    },
  };
}
