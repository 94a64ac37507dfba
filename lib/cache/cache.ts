/**
 * The cache of a tenant. Each call is one round trip, through the gate; see there for what every call may throw, besides
 * InvalidRequestError (entry-rules.ts). Values are bytes with a content type and come back byte for byte.
 */
import type { CacheConfig } from '../config/config.ts';
import type { TenantCipher } from '../crypto/tenant-cipher.ts';
import type { Gate } from '../gate/gate.ts';
import type { Keys } from '../keys.ts';
import { lazily } from '../lazily.ts';
import type { BlobValues } from './blob-values.ts';
import type { Corruption } from './corruption.ts';
import { createEntryReader, type EntryReader } from './entry-reader.ts';
import { createEntryRemover, type EntryRemover } from './entry-remover.ts';
import { createEntryWriter, type EntryWriter } from './entry-writer.ts';
import type { GetOrSet } from './get-or-set.ts';
import { createLoaders, type Loaders } from './loaders.ts';
import { createLocalReads } from './local-reads.ts';
import { withLocalCopies } from './local-writes.ts';
import type { MakeRoom } from './make-room.ts';
import { createReleaseLease, type ReleaseLease } from './release-lease.ts';
import type { ValuePacker } from './value-packer.ts';

export type { Condition } from './entry-call.ts';
export type { SetEntry, SetOutcome } from './entry-writer.ts';

export interface Cache
  extends EntryReader,
    EntryWriter,
    Pick<EntryRemover, 'delete' | 'previewDelete'>,
    GetOrSet,
    Loaders {
  readonly releaseLease: ReleaseLease;
}

export function createCache(deps: {
  readonly gate: Gate;
  readonly keys: Keys;
  readonly config: CacheConfig;
  readonly packer: ValuePacker;
  readonly cipher: TenantCipher;
  readonly blobValues: BlobValues;
  readonly corruption: Corruption;
  readonly makeRoom: MakeRoom;
  /** Unix ms of a clock that never goes back (elapsed-clock.ts). */
  readonly nowMs: () => number;
}): Cache {
  const local = createLocalReads(deps);
  const { delete: remove, previewDelete, discard } = createEntryRemover(deps);
  const writer = createEntryWriter(deps);
  const writes = withLocalCopies({ set: writer.set, delete: remove }, { local, gate: deps.gate });
  const reader = createEntryReader({ ...deps, local, discard });
  const releaseLease = createReleaseLease(deps);
  const loading = lazily<GetOrSet>({ getOrSet: true }, async () => {
    const { createGetOrSet } = await import('./get-or-set.ts');
    const { gate, config } = deps;
    const { set } = writes;
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
  return { ...reader, ...writer, ...writes, previewDelete, releaseLease, ...loading, ...createLoaders(loading) };
}
