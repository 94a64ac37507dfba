/** What checkpoints and restores are made of. */
import type { AdministrationDeps } from '../administration.ts';
import { createOldGenerations } from '../cleaning/old-generations.ts';
import { createTenantCipher } from '../crypto/tenant-cipher.ts';
import { createJobReader } from '../jobs/job-reader.ts';
import { createKeys } from '../keys.ts';
import type { Tenants } from '../tenants/tenants.ts';
import { createCheckpointStore } from './checkpoint-store.ts';
import { createLoggedErasures } from './logged-erasures.ts';
import { createAbandonedLoads } from './restore/abandoned-loads.ts';
import { createRecordLoad } from './restore/record-load.ts';
import { createRestoring } from './restore/restoring.ts';
import { createTenantLoader } from './restore/tenant-loader.ts';
import { createRetirement } from './retirement.ts';
import { createTurn } from './turn.ts';
import { createMovedSessions } from './walk/moved-sessions.ts';
import { createRecordPages } from './walk/record-pages.ts';
import { createCheckpointWriter } from './writing/checkpoint-writer.ts';
import { createTenantScan } from './writing/tenant-scan.ts';
import { createTenantStates } from './writing/tenant-state.ts';
import { createTenantWriter } from './writing/tenant-writer.ts';

export type StateTools = ReturnType<typeof createStateTools>;

export function createStateTools(deps: AdministrationDeps, tenants: Pick<Tenants, 'listIds'>) {
  const { config, redis, blobs, keys, dataKeys, tenantKeys, telemetry, now } = deps;
  const cipher = createTenantCipher({ dataKeys, tenantKeys });
  const store = createCheckpointStore({ blobs, cipher, now });
  const pages = createRecordPages({ redis, keys });
  const moved = createMovedSessions({ redis, keys, pages });
  const states = createTenantStates({ redis, keys });
  const erasures = createLoggedErasures({ redis, blobs, keys });
  const tenantWriter = createTenantWriter({
    redis,
    keys,
    store,
    cipher,
    pages,
    moved,
    states,
    config: config.state,
    now,
  });
  const abandoned = createAbandonedLoads({ redis, keys, old: createOldGenerations({ redis, keys }) });
  const scratch = createKeys(`${config.cache.keyPrefix}:${config.cache.version}:drill:`);
  const scratchLoads = createAbandonedLoads({
    redis,
    keys: scratch,
    old: createOldGenerations({ redis, keys: scratch }),
  });
  return {
    drill: {
      scratch,
      // Nothing is moved to S3: there is room for what is removed again.
      loader: createTenantLoader({
        redis,
        keys: scratch,
        cold: { toCold: async () => [] },
        recordLoad: createRecordLoad({ redis, keys: scratch }),
      }),
      loads: scratchLoads,
    },
    cipher,
    store,
    pages,
    abandoned,
    restoring: createRestoring({ ...deps, store, pages, erasures, tenantWriter, abandoned }),
    erasures,
    tenantWriter,
    writer: createCheckpointWriter({
      redis,
      keys,
      store,
      tenants,
      scan: createTenantScan({ redis, keys, pages, states }),
      writer: tenantWriter,
      erasures,
      now,
    }),
    retirement: createRetirement({ redis, keys, blobs, store, config: config.state, telemetry, now }),
    turn: createTurn({ redis, keys, jobs: createJobReader({ redis, keys }) }),
  };
}
