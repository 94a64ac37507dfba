/**
 * Revocations, kept in S3 as well: an empty Redis, or one put back from a backup, has none. Whatever restores keys reads
 * here first which of them must stay dead.
 */
import type { BlobStore } from '../blobs/store.ts';
import { BlobUnavailableError, OutcomeUnknownError } from '../errors.ts';
import type { TenantId } from '../ids.ts';
import { revocationBlob } from '../keys.ts';

export type RevocationLog = ReturnType<typeof createRevocationLog>;

export function createRevocationLog(deps: {
  readonly blobs: BlobStore;
  /** Unix ms: for the time in the log. */
  readonly now: () => number;
}) {
  return {
    /**
     * Durable before it answers; again, it changes nothing.
     * @throws {OutcomeUnknownError} the key is refused already, but that is not kept yet: to be sent again.
     */
    async append(id: TenantId, keyId: string, signal?: AbortSignal): Promise<void> {
      const entry = { format: 1, tenant_id: id, key_id: keyId, revoked_at: new Date(deps.now()).toISOString() };
      const body = Buffer.from(JSON.stringify(entry));
      const put = { key: revocationBlob(id, keyId), body, contentType: 'application/json', onlyIf: 'absent' } as const;
      await deps.blobs.put(put, { signal }).catch((cause: unknown) => {
        if (!(cause instanceof BlobUnavailableError)) throw cause;
        throw new OutcomeUnknownError('The key is revoked, but S3 does not keep that yet; send it again', {
          retryAfterMs: 1_000,
          cause,
        });
      });
    },
  };
}
