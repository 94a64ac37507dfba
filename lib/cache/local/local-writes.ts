/** Writes by this instance, told to the copies it holds: it never answers with what it has itself written over or removed. */
import type { Caller } from '../../gate/caller.ts';
import type { Gate } from '../../gate/gate.ts';
import type { EntryName } from '../../keys.ts';
import type { EntryRemover } from '../entry-remover.ts';
import type { EntryWriter, SetEntry, SetOutcome } from '../entry-writer.ts';
import type { LocalReads } from './local-reads.ts';

type Writes = Pick<EntryWriter, 'set'> & Pick<EntryRemover, 'delete'>;

export function withLocalCopies(
  { set, delete: remove }: Writes,
  { local, gate }: { readonly local: LocalReads; readonly gate: Pick<Gate, 'knownContext'> },
): Writes {
  /** Also when it failed: nobody knows then what is stored. */
  const forgetting = <T>({ tenantId }: Caller, name: EntryName, work: Promise<T>): Promise<T> =>
    work.finally(() => local.forget(tenantId, name));

  return {
    async set(caller, name, entry) {
      const askedAtMs = local.nowMs();
      const outcome = await set(caller, name, entry).catch((error: unknown) => {
        local.forget(caller.tenantId, name);
        throw error;
      });
      const context = gate.knownContext(caller.tenantId);
      if (context !== undefined) local.keep(caller.tenantId, name, storedOf(entry, outcome), { context, askedAtMs });
      return outcome;
    },
    delete: (caller, name, condition) => forgetting(caller, name, remove(caller, name, condition)),
  };
}

/** As a read would find it now. */
function storedOf({ value, meta }: SetEntry, outcome: SetOutcome) {
  const { etag, expiresAtMs, freshUntilMs, updatedAtMs, rawBytes } = outcome;
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return { meta, etag, expiresAtMs, freshUntilMs, stale: false, updatedAtMs, ageMs: 0, rawBytes, value: bytes };
}
