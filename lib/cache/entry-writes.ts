/** Everything that changes one entry, or gives a lease back; loaded with the first such call: a read needs none of it. */
import type { CacheConfig } from '../config/config.ts';
import type { TenantCipher } from '../crypto/tenant-cipher.ts';
import type { Gate } from '../gate/gate.ts';
import type { Keys } from '../keys.ts';
import type { Corruption } from './corruption.ts';
import { createEntryRemover, type EntryRemover } from './entry-remover.ts';
import { createEntryWriter, type EntryWriter } from './entry-writer.ts';
import type { BlobValues } from './large/blob-values.ts';
import { createReleaseLease, type ReleaseLease } from './loading/release-lease.ts';
import type { LocalReads } from './local/local-reads.ts';
import { withLocalCopies } from './local/local-writes.ts';
import type { MakeRoom } from './memory/make-room.ts';
import type { ValuePacker } from './value-packer.ts';

export interface EntryWrites extends EntryWriter, EntryRemover {
  readonly releaseLease: ReleaseLease;
}

export function createEntryWrites(deps: {
  readonly gate: Gate;
  readonly keys: Keys;
  readonly config: CacheConfig;
  readonly packer: ValuePacker;
  readonly cipher: TenantCipher;
  readonly blobValues: BlobValues;
  readonly corruption: Corruption;
  readonly makeRoom: MakeRoom;
  readonly local: LocalReads;
}): EntryWrites {
  const writer = createEntryWriter(deps);
  const remover = createEntryRemover(deps);
  const copied = withLocalCopies({ set: writer.set, delete: remover.delete }, deps);
  return { ...writer, ...remover, ...copied, releaseLease: createReleaseLease(deps) };
}
