/** Removes what a tenant has in S3, prefix by prefix. */
import type { BlobStore } from '../blobs/store.ts';
import type { TenantId } from '../ids.ts';
import { tenantBlobPrefixes } from '../keys.ts';
import type { CheckedStore } from './receipt.ts';

/** Objects removed by one call. */
const PAGE = 1_000;

/** Each prefix, emptied and looked at again. Begun again, it goes on. @throws {BlobUnavailableError} */
export async function removeBlobs(blobs: BlobStore, id: TenantId, signal?: AbortSignal): Promise<CheckedStore[]> {
  const checked: CheckedStore[] = [];
  for (const prefix of tenantBlobPrefixes(id)) {
    const removed = await empty(blobs, prefix, signal);
    const { items } = await blobs.list({ prefix, limit: 1 }, { signal });
    checked.push({ store: 's3', name: prefix.replace(id, '<tenant>'), removed, left: items.length });
  }
  return checked;
}

async function empty(blobs: BlobStore, prefix: string, signal?: AbortSignal): Promise<number> {
  let removed = 0;
  let cursor: string | undefined;
  do {
    const { items, nextCursor } = await blobs.list({ prefix, cursor, limit: PAGE }, { signal });
    await blobs.delete(
      items.map(({ key }) => key),
      { signal },
    );
    removed += items.length;
    cursor = nextCursor ?? undefined;
  } while (cursor !== undefined);
  return removed;
}
