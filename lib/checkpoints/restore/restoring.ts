/** What a restore is made of. */
import type { AdministrationDeps } from '../../administration.ts';
import { createOldGenerations } from '../../cleaning/old-generations.ts';
import { createPublisher } from '../../tenants/publisher.ts';
import type { CheckpointStore } from '../checkpoint-store.ts';
import type { LoggedErasures } from '../logged-erasures.ts';
import type { RecordPages } from '../walk/record-pages.ts';
import type { TenantWriter } from '../writing/tenant-writer.ts';
import type { AbandonedLoads } from './abandoned-loads.ts';
import { createColdLoading } from './cold-loading.ts';
import { createFlip } from './flip.ts';
import { createLateChanges } from './late-changes.ts';
import { createLateManifest } from './late-manifest.ts';
import { createRecordLoad } from './record-load.ts';
import { createRestorePhases } from './restore-phases.ts';
import { createRestorePreview } from './restore-preview.ts';
import { createRestoreReclaim } from './restore-reclaim.ts';
import { createRevival } from './revival.ts';
import { createSessionRestore } from './session-restore.ts';
import { createTenantLoader } from './tenant-loader.ts';
import { createTenantRestore } from './tenant-restore.ts';

export interface RestoringDeps extends AdministrationDeps {
  readonly abandoned: AbandonedLoads;
  readonly store: CheckpointStore;
  readonly pages: RecordPages;
  readonly erasures: LoggedErasures;
  readonly tenantWriter: TenantWriter;
}

export function createRestoring(deps: RestoringDeps) {
  const { redis, keys, blobs, store, pages, erasures, tenantWriter, spillTools, abandoned, now } = deps;
  const sessionBlobs = async () => (await spillTools()).sessionBlobs;
  const old = createOldGenerations({ redis, keys });
  const recordLoad = createRecordLoad({ redis, keys });
  const restore = createTenantRestore({
    redis,
    keys,
    store,
    erasures,
    loader: createTenantLoader({ redis, keys, recordLoad, cold: createColdLoading({ recordLoad, sessionBlobs, now }) }),
    flip: createFlip({ redis, keys }),
    revival: createRevival({ redis, keys, blobs, store, publisher: createPublisher({ redis, keys }), now }),
    abandoned,
    now,
  });
  const sessions = createSessionRestore({ redis, keys, store, sessionBlobs, now });
  return createRestorePhases({
    redis,
    keys,
    store,
    erasures,
    restore,
    sessions,
    preview: createRestorePreview({ redis, keys, store, erasures, pages, restore, sessions, now }),
    reclaimAll: createRestoreReclaim({ redis, keys, restore, old }),
    lateChanges: createLateChanges({ redis, keys, writer: tenantWriter, now }),
    lateManifest: createLateManifest({ store, now }),
    abandoned,
  });
}
