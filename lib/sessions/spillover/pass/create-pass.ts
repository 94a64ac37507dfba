/** The pass, put together. */
import type { Config } from '../../../config/config.ts';
import type { Keys } from '../../../keys.ts';
import type { Telemetry } from '../../../metrics/telemetry.ts';
import type { RedisDriver } from '../../../redis/driver.ts';
import { createPrefetcher } from '../prefetcher.ts';
import type { SpillTools } from '../spill-tools.ts';
import { createColdPages } from './cold-pages.ts';
import { createLatelyPrefetch } from './lately-prefetch.ts';
import { createPassTenants } from './pass-tenants.ts';
import { createShareLowering } from './share-lowering.ts';
import { createSpillPass, type SpillPass } from './spill-pass.ts';
import { createSpillRounds } from './spill-rounds.ts';

export interface PassDeps {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly config: Pick<Config, 'sessions' | 'spillover'>;
  readonly tools: Pick<SpillTools, 'coldest' | 'budget' | 'spiller' | 'restorer'>;
  readonly telemetry: Pick<Telemetry, 'count' | 'logger'>;
  /** Unix ms; only chooses candidates, and tells when. */
  readonly now: () => number;
}

export function createPass(deps: PassDeps): SpillPass {
  const { config, tools } = deps;
  const { coldest, budget, spiller, restorer } = tools;
  const tenants = createPassTenants({ ...deps, budget });
  const pages = createColdPages({ ...deps, config: config.spillover, coldest });
  return createSpillPass({
    ...{ ...deps, tenants, budget },
    rounds: createSpillRounds({ ...deps, config: config.spillover, pages, spiller }),
    lowering: createShareLowering({ ...deps, config: config.spillover, budget, spiller, tenants }),
    prefetch: createLatelyPrefetch({
      ...deps,
      config: config.spillover,
      budget,
      prefetcher: createPrefetcher({ restorer }),
    }),
    nowMs: () => performance.now(),
  });
}
