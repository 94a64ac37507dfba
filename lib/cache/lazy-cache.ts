/** What the cache does besides reading, writing and removing one entry; loaded with the first call of any. */
import type { CacheConfig } from '../config/config.ts';
import type { TenantCipher } from '../crypto/tenant-cipher.ts';
import type { Gate } from '../gate/gate.ts';
import type { TenantId } from '../ids.ts';
import type { EntryName, Keys } from '../keys.ts';
import { type BatchReader, createBatchReader } from './batch/batch-reader.ts';
import { type BatchRemover, createBatchRemover } from './batch/batch-remover.ts';
import { type BatchWriter, createBatchWriter } from './batch/batch-writer.ts';
import type { Corruption } from './corruption.ts';
import { createEntryList, type EntryList } from './entry-list.ts';
import type { EntryReader } from './entry-reader.ts';
import type { EntryRemover } from './entry-remover.ts';
import { createEntryToucher, type EntryToucher } from './entry-toucher.ts';
import type { EntryWriter } from './entry-writer.ts';
import type { BlobValues } from './large/blob-values.ts';
import { createListCursors } from './list-cursor.ts';
import type { MakeRoom } from './memory/make-room.ts';
import { createNumbers, type Numbers } from './numbers.ts';
import type { ValuePacker } from './value-packer.ts';

export interface LazyCache extends BatchReader, BatchWriter, BatchRemover, EntryList, Numbers, EntryToucher {}

export function createLazyCache(deps: {
  readonly gate: Gate;
  readonly keys: Keys;
  readonly config: CacheConfig;
  readonly packer: ValuePacker;
  readonly cipher: TenantCipher;
  readonly blobValues: Pick<BlobValues, 'read'>;
  readonly corruption: Corruption;
  readonly makeRoom: MakeRoom;
  readonly reader: Pick<EntryReader, 'get'>;
  readonly writer: Pick<EntryWriter, 'set'>;
  readonly discard: EntryRemover['discard'];
  /** Of the deployment: seals cursors that name what the caller may not know. */
  readonly secret: string;
  /** The copy this instance holds is no longer what is stored, or nobody knows. */
  readonly forget: (tenantId: TenantId, name: EntryName) => void;
}): LazyCache {
  const { forget } = deps;
  const { setMany } = createBatchWriter(deps);
  const batch: BatchWriter = {
    setMany: (caller, namespace, entries, options) =>
      setMany(caller, namespace, entries, options).finally(() => {
        for (const { key } of entries) forget(caller.tenantId, { namespace, key });
      }),
  };
  const { deleteMany } = createBatchRemover(deps);
  const { increment } = createNumbers({ ...deps, batch, random: Math.random });
  const { touch } = createEntryToucher(deps);
  return {
    ...createBatchReader(deps),
    ...batch,
    ...createEntryList({ ...deps, cursors: createListCursors(deps.secret) }),
    deleteMany: (caller, namespace, keys, options) =>
      deleteMany(caller, namespace, keys, options).finally(() => {
        for (const key of keys) forget(caller.tenantId, { namespace, key });
      }),
    increment: (caller, name, by, options) =>
      increment(caller, name, by, options).finally(() => forget(caller.tenantId, name)),
    touch: (caller, name, change) => touch(caller, name, change).finally(() => forget(caller.tenantId, name)),
  };
}
