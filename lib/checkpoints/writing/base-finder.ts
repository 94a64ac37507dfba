/** Finds the checkpoint that the next one is built upon. */
import { type CheckpointStore, isUnreadable } from '../checkpoint-store.ts';
import type { CheckpointHeader } from '../format/manifest-schema.ts';

/** Looked at together, the newest first; and at most, where none of those can be built upon. */
const LOOKED_AT = 10;
const MOST = 100;

export function createBaseFinder(store: Pick<CheckpointStore, 'ids' | 'headers' | 'deployment' | 'findManifest'>) {
  const isReadable = async (id: string, signal: AbortSignal): Promise<boolean> => {
    try {
      return (await store.findManifest(id, signal)) !== null;
    } catch (error) {
      if (isUnreadable(error)) return false;
      throw error;
    }
  };

  /**
   * The one begun last that can be read, of those that others may build upon. Ids are no order of that: the id of a scheduled one
   * says when its slot began, and feeds reach back to the last one only.
   * @param cache whether entries of the cache must be in it. @returns null: all is to be written. @throws {BlobUnavailableError}
   */
  return async (cache: boolean, signal: AbortSignal): Promise<string | null> => {
    const ids = await store.ids(signal);
    const deployment = await store.deployment(signal);
    const fits = (header: CheckpointHeader | null): header is CheckpointHeader =>
      header?.cache === cache && header.deployment === deployment && header.type !== 'safety';
    for (let at = 0; at < Math.min(ids.length, MOST); at += LOOKED_AT) {
      const found = (await store.headers(ids.slice(at, at + LOOKED_AT), signal)).filter(fits);
      for (const { id } of found.toSorted((a, b) => Date.parse(b.started_at) - Date.parse(a.started_at)))
        if (await isReadable(id, signal)) return id;
    }
    return null;
  };
}
