/** What administration and its jobs read and store cache entries with. */
import type { AdministrationDeps } from '../administration.ts';
import { createTenantCipher } from '../crypto/tenant-cipher.ts';
import { createExpiredRecords } from '../gate/expired-records.ts';
import { createCorruption } from './corruption.ts';
import { createExportStore } from './exports/export-store.ts';
import { createColdTier } from './memory/cold-tier.ts';
import { createColdestEntries } from './memory/coldest-entries.ts';
import { createValuePacker } from './value-packer.ts';
import { createColdWarming } from './warming/cold-warming.ts';
import { createEntryLoader } from './warming/entry-loader.ts';
import { createEntryPeeker } from './warming/entry-peeker.ts';

export function createCacheTools({
  redis,
  keys,
  blobs,
  blobValues,
  config,
  dataKeys,
  tenantKeys,
  telemetry,
  now,
}: AdministrationDeps) {
  const cipher = createTenantCipher({ dataKeys, tenantKeys });
  const packer = createValuePacker(config.cache);
  const expired = createExpiredRecords({ redis, keys, now });
  const corruption = createCorruption({ telemetry });
  const coldTier = createColdTier({ redis, keys, config: config.cache, blobValues, corruption, telemetry, now });
  const coldest = createColdestEntries({ redis, keys });
  const peeker = createEntryPeeker({ redis, keys, config: config.cache, cipher, blobValues });
  return {
    cold: createColdWarming({
      keys,
      peeker,
      coldest,
      coldTier,
      get inlineMaxBytes() {
        return config.cache.inlineMaxBytes;
      },
    }),
    loader: createEntryLoader({ redis, keys, config: config.cache, packer, cipher, blobValues, expired }),
    peeker,
    exports: createExportStore({ blobs, cipher, now }),
  };
}
