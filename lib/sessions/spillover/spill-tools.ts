/** What moves sessions between Redis and S3, put together: for requests, and for the schedule. */
import type { BlobStore } from '../../blobs/store.ts';
import type { MakeRoom } from '../../cache/memory/make-room.ts';
import type { Config } from '../../config/config.ts';
import type { RunNow } from '../../jobs/run-now.ts';
import type { Keys } from '../../keys.ts';
import type { Telemetry } from '../../metrics/telemetry.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { createSessionBudget } from './budget/session-budget.ts';
import { createColdCreation } from './cold-creation.ts';
import { createColdData } from './cold-data.ts';
import { createColdReads } from './cold-reads.ts';
import { createColdestSessions } from './coldest-sessions.ts';
import { createQuarantine } from './quarantine.ts';
import { createRestorer } from './restorer.ts';
import { createSessionBlobs } from './session-blobs.ts';
import { createSessionRoom } from './session-room.ts';
import { createSpillSteps } from './spill-steps.ts';
import { createSpiller } from './spiller.ts';

export interface SpillToolDeps {
  readonly redis: RedisDriver;
  readonly blobs: BlobStore;
  readonly keys: Keys;
  readonly config: Pick<Config, 'sessions' | 'spillover'>;
  readonly evict: MakeRoom;
  readonly runNow: RunNow;
  readonly telemetry: Telemetry;
  /** Unix ms. */
  readonly now: () => number;
}

export type SpillTools = ReturnType<typeof createSpillTools>;

export function createSpillTools(deps: SpillToolDeps) {
  const { redis, keys, blobs, config } = deps;
  const coldest = createColdestSessions({ redis, keys });
  const sessionBlobs = createSessionBlobs({
    blobs,
    get storageClass() {
      return config.spillover.storageClass;
    },
  });
  const budget = createSessionBudget({ redis, keys, config: config.spillover });
  const spiller = createSpiller({
    ...deps,
    config: config.spillover,
    coldest,
    steps: createSpillSteps({ ...deps, sessionBlobs }),
  });
  const room = createSessionRoom({ ...deps, budget, spiller, nowMs: () => performance.now() });
  const quarantine = createQuarantine(deps);
  const coldData = createColdData({ ...deps, sessionBlobs, quarantine });
  const restorer = createRestorer({ ...deps, coldData, room });
  const cold = createColdReads({ ...deps, coldData, restorer, room });
  const coldCreation = createColdCreation({ ...deps, sessionBlobs });
  return { coldCreation, coldest, sessionBlobs, budget, spiller, room, quarantine, restorer, cold };
}
