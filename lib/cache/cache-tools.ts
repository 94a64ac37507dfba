/** What administration and its jobs read and store cache entries with. */
import type { AdministrationDeps } from '../administration.ts';
import { createTenantCipher } from '../crypto/tenant-cipher.ts';
import { createExpiredRecords } from '../gate/expired-records.ts';
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
  now,
}: AdministrationDeps) {
  const cipher = createTenantCipher({ dataKeys, tenantKeys });
  const packer = createValuePacker(config.cache);
  const expired = createExpiredRecords({ redis, keys, now });
  return {
    loader: createEntryLoader({ redis, keys, config: config.cache, packer, cipher, blobValues, expired }),
    peeker: createEntryPeeker({ redis, keys, config: config.cache, cipher, blobValues }),
    exports: createExportStore({ blobs, cipher, now }),
  };
}
