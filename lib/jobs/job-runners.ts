/** Every kind of long work there is: a line each. */
import type { AdministrationDeps } from '../administration.ts';
import { createCacheTools } from '../cache/cache-tools.ts';
import { createExportRunner } from '../cache/exports/export-job.ts';
import { createInvalidateRunner } from '../cache/invalidation/invalidate-job.ts';
import { createWarmRunner } from '../cache/warming/warm-job.ts';
import { createCheckpointRunner } from '../checkpoints/checkpoint-job.ts';
import { withCheckpointMetrics } from '../checkpoints/checkpoint-metrics.ts';
import { createDrillRunner } from '../checkpoints/drill/drill-job.ts';
import { createRestoreRunner } from '../checkpoints/restore/restore-job.ts';
import type { StateTools } from '../checkpoints/state-tools.ts';
import { createVerifyRunner } from '../checkpoints/verify-job.ts';
import type { JobRunner } from './job.ts';

export function createJobRunners(deps: AdministrationDeps, stateTools: StateTools): readonly JobRunner[] {
  const tools = createCacheTools(deps);
  return [
    withCheckpointMetrics(createCheckpointRunner(stateTools), deps.telemetry),
    createDrillRunner({ ...deps, ...stateTools, ...stateTools.drill }),
    createExportRunner({ ...deps, ...tools }),
    createInvalidateRunner(deps),
    createRestoreRunner({ ...stateTools, phases: stateTools.restoring }),
    createVerifyRunner({ ...deps, ...stateTools }),
    createWarmRunner({
      ...tools,
      get maxValueBytes() {
        return deps.config.cache.maxEntrySizeBytes;
      },
    }),
  ];
}
