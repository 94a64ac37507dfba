/**
 * The cache of a tenant. Each call is one round trip, through the gate; see there for what every call may throw, besides
 * InvalidRequestError (entry-rules.ts). Values are bytes with a content type and come back byte for byte.
 */

import type { BlobStore } from '../blobs/store.ts';
import type { CacheConfig } from '../config/config.ts';
import type { TenantCipher } from '../crypto/tenant-cipher.ts';
import type { Gate } from '../gate/gate.ts';
import type { TenantId } from '../ids.ts';
import type { Keys } from '../keys.ts';
import { lazily } from '../lazily.ts';
import type { Corruption } from './corruption.ts';
import { createEntryReader, type EntryReader } from './entry-reader.ts';
import type { EntryRemover } from './entry-remover.ts';
import type { EntryWriter } from './entry-writer.ts';
import type { EntryWrites } from './entry-writes.ts';
import type { BlobValues } from './large/blob-values.ts';
import type { Uploads } from './large/uploads.ts';
import type { ValueLinks } from './large/value-links.ts';
import type { LazyCache } from './lazy-cache.ts';
import type { GetOrSet } from './loading/get-or-set.ts';
import { createLoaders, type Loaders } from './loading/loaders.ts';
import type { ReleaseLease } from './loading/release-lease.ts';
import type { WriteThrough } from './loading/write-through.ts';
import { createLocalReads } from './local/local-reads.ts';
import type { ColdTier } from './memory/cold-tier.ts';
import type { MakeRoom } from './memory/make-room.ts';
import type { ValuePacker } from './value-packer.ts';

export type { Condition } from './entry-call.ts';
export type { SetEntry, SetOutcome } from './entry-writer.ts';

export interface Cache
  extends EntryReader,
    EntryWriter,
    Pick<EntryRemover, 'delete' | 'previewDelete'>,
    GetOrSet,
    Loaders,
    LazyCache,
    Uploads,
    WriteThrough {
  readonly releaseLease: ReleaseLease;
  /** Entries of the tenant were invalidated by this instance: its copies of them answer nothing any more. */
  forgetCopies(tenantId: TenantId): void;
}

export function createCache(deps: {
  readonly gate: Gate;
  readonly keys: Keys;
  readonly config: CacheConfig;
  readonly packer: ValuePacker;
  readonly cipher: TenantCipher;
  readonly blobs: BlobStore;
  readonly blobValues: BlobValues;
  readonly promote: ColdTier['promote'];
  readonly corruption: Corruption;
  readonly makeRoom: MakeRoom;
  /** Of the deployment. */
  readonly secret: string;
  /** Unix ms of a clock that never goes back (elapsed-clock.ts). */
  readonly nowMs: () => number;
}): Cache {
  const local = createLocalReads(deps);
  const { discard, ...writes } = lazily<EntryWrites>(
    { set: true, setPacked: true, delete: true, previewDelete: true, discard: true, releaseLease: true },
    async () => (await import('./entry-writes.ts')).createEntryWrites({ ...deps, local }),
  );
  const links = lazily<ValueLinks>({ link: true, stage: true }, async () =>
    (await import('./large/value-links.ts')).createValueLinks({ ...deps, now: deps.nowMs }),
  );
  const uploads = lazily<Uploads>({ beginUpload: true, commitUpload: true }, async () => {
    const [{ createUploads }, { packOnce }] = await Promise.all([
      import('./large/uploads.ts'),
      import('./packed-entry.ts'),
    ]);
    return createUploads({ ...deps, pack: packOnce(deps), writer: writes, forget: local.forget });
  });
  const reader = createEntryReader({ ...deps, links, local, discard });
  const loading = lazily<GetOrSet>({ getOrSet: true }, async () => {
    const { createGetOrSet } = await import('./loading/get-or-set.ts');
    const { gate, config } = deps;
    const { set, releaseLease } = writes;
    return createGetOrSet({
      reader,
      set,
      releaseLease,
      local,
      gate,
      maxLeaseMs: config.maxLeaseMs,
      random: Math.random,
    });
  });
  const through = lazily<WriteThrough>({ writeThrough: true }, async () =>
    (await import('./loading/write-through.ts')).createWriteThrough(writes),
  );
  const lazy = lazily<LazyCache>(
    { getMany: true, setMany: true, deleteMany: true, list: true, increment: true, touch: true },
    async () => {
      const { createLazyCache } = await import('./lazy-cache.ts');
      return createLazyCache({ ...deps, reader, writer: writes, discard, forget: local.forget });
    },
  );
  return {
    ...reader,
    ...writes,
    forgetCopies: local.forgetTenant,
    ...loading,
    ...createLoaders(loading),
    ...lazy,
    ...through,
    ...uploads,
  };
}
