/** Every kind of long work there is: a line each. */
import type { AdministrationDeps } from '../administration.ts';
import { createCacheTools } from '../cache/cache-tools.ts';
import { createExportRunner } from '../cache/exports/export-job.ts';
import { createInvalidateRunner } from '../cache/invalidation/invalidate-job.ts';
import { createWarmRunner } from '../cache/warming/warm-job.ts';
import type { JobRunner } from './job.ts';

export function createJobRunners(deps: AdministrationDeps): readonly JobRunner[] {
  const tools = createCacheTools(deps);
  return [
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
