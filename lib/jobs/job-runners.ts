/** Every kind of long work there is: a line each. */
import type { AdministrationDeps } from '../administration.ts';
import { createCacheTools } from '../cache/cache-tools.ts';
import { createExportRunner } from '../cache/exports/export-job.ts';
import { createInvalidateRunner } from '../cache/invalidation/invalidate-job.ts';
import { createWarmRunner } from '../cache/warming/warm-job.ts';
import { createCheckpointRunner } from '../checkpoints/checkpoint-job.ts';
import type { StateTools } from '../checkpoints/state-tools.ts';
import type { JobRunner } from './job.ts';

export function createJobRunners(deps: AdministrationDeps, stateTools: StateTools): readonly JobRunner[] {
  const tools = createCacheTools(deps);
  return [
    createCheckpointRunner(stateTools),
    createExportRunner({ ...deps, ...tools }),
    createInvalidateRunner(deps),
    createWarmRunner({
      ...tools,
      get maxValueBytes() {
        return deps.config.cache.maxEntrySizeBytes;
      },
    }),
  ];
}
