import type { Result } from '../../http/result.ts';
import { jobAccepted } from '../../jobs/job-accepted.ts';
import type { InvalidationOutcome } from './invalidation-run.ts';

/** 200 and the counts, or 202 and the job that goes on. */
export const invalidationResult = (outcome: InvalidationOutcome, whose: 'admin' | 'tenant'): Result =>
  outcome.kind === 'done' ? { status: 200, data: outcome.data } : jobAccepted(outcome.job, whose);
