/** The newest checkpoint of all tenants: one made before a restore has only those that were restored. */
import type { CheckpointStore } from './checkpoint-store.ts';
import type { CheckpointHeader } from './format/manifest-schema.ts';

/** Passes over what cannot be read. Null: there is none. @throws {BlobUnavailableError} */
export async function newestWhole(
  store: Pick<CheckpointStore, 'ids' | 'headers'>,
  signal?: AbortSignal,
): Promise<CheckpointHeader | null> {
  for (const id of await store.ids(signal)) {
    const [header] = await store.headers([id], signal);
    if (header != null && header.type !== 'safety') return header;
  }
  return null;
}
