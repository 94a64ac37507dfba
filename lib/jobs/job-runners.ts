/** Every kind of long work there is: a line each. */
import type { AdministrationDeps } from '../administration.ts';
import type { JobRunner } from './job.ts';

export const createJobRunners = (_deps: AdministrationDeps): readonly JobRunner[] => [];
