/** Write-through: the source is written first, then the cache, and nobody reads what was before from the cache after that. */
import type { Caller } from '../../gate/caller.ts';
import type { EntryName } from '../../keys.ts';
import type { EntryRemover } from '../entry-remover.ts';
import type { EntryWriter, SetEntry, SetOutcome } from '../entry-writer.ts';

/** Writes the source. `signal`: the caller's deadline. */
export type WriteSource = (context: { readonly signal: AbortSignal | undefined }) => Promise<void>;

export interface WriteThrough {
  /**
   * Removes the entry, has the source written, stores the entry. Killed in between, the next read loads from the source: a
   * load that began before the entry is stored is never stored over it. What another caller loads between the removal and the
   * writing, and stores, stays until its lifetime ends only if this is killed before its own storing. Two operations.
   * @throws what `write` throws: the source is as it left it, the cache has no entry. @throws as `set`, after the source was
   * written: the cache has no entry then, or nobody knows.
   */
  writeThrough(caller: Caller, name: EntryName, entry: SetEntry, write: WriteSource): Promise<SetOutcome>;
}

export function createWriteThrough({
  delete: remove,
  set,
}: Pick<EntryRemover, 'delete'> & Pick<EntryWriter, 'set'>): WriteThrough {
  return {
    async writeThrough(caller, name, entry, write) {
      await remove(caller, name);
      await write({ signal: caller.signal });
      return set(caller, name, entry);
    },
  };
}
