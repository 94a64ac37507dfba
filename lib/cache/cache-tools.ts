/** What administration and its jobs read and store cache entries with. */
import type { AdministrationDeps } from '../administration.ts';
import { createTenantCipher } from '../crypto/tenant-cipher.ts';
import { createExpiredRecords } from '../gate/expired-records.ts';
import { createColdTier } from './cold-tier.ts';
import { createColdWarming } from './cold-warming.ts';
import { createColdestEntries } from './coldest-entries.ts';
import { createCorruption } from './corruption.ts';
import { createEntryLoader } from './entry-loader.ts';
import { createEntryPeeker } from './entry-peeker.ts';
import { createExportStore } from './export-store.ts';
import { createValuePacker } from './value-packer.ts';

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
  const { inlineMaxBytes } = config.cache;
  return {
    cold: createColdWarming({ keys, peeker, coldest, coldTier, inlineMaxBytes }),
    loader: createEntryLoader({ redis, keys, config: config.cache, packer, cipher, blobValues, expired }),
    peeker,
    exports: createExportStore({ blobs, cipher, now }),
  };
}
