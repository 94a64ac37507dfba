/** Objects of sessions in S3. Each has a name of its own, and is never written again. */
import type { BlobStore, StorageClass } from '../../blobs/store.ts';
import { SessionLostError } from '../../errors.ts';
import type { TenantId } from '../../ids.ts';
import { sessionBlob } from '../../keys.ts';
import { type EncodedSession, requireBytes, type SessionObjectBytes } from './session-object.ts';

/** What an object is named by: both are ULIDs, the session's as it was when the object was written. */
export interface SessionObjectName {
  readonly objectUlid: string;
  readonly sessionUlid: string;
}

/** An object as a stub names it. */
export type SessionObjectRef = SessionObjectName & Pick<SessionObjectBytes, 'bytes' | 'sha256'>;

export type SessionBlobs = ReturnType<typeof createSessionBlobs>;

/** @param deps.storageClass of new objects, read for each; age may move them to others. */
export function createSessionBlobs(deps: {
  readonly blobs: Pick<BlobStore, 'put' | 'get' | 'delete'>;
  readonly storageClass: StorageClass;
}) {
  const { blobs } = deps;
  return {
    /**
     * Writes an object, whole or not at all. Its name must stand in the tenant's index as one to be deleted, until a stub uses it.
     * @throws {BlobUnavailableError} nobody knows whether it was written.
     */
    async put(
      id: TenantId,
      objectUlid: string,
      object: EncodedSession,
      signal?: AbortSignal | undefined,
    ): Promise<void> {
      const { sessionUlid, bytes: body, rawBytes, sha256 } = object;
      const { storageClass } = deps;
      const metadata = { 'riptide-sha256': sha256, 'riptide-raw-bytes': String(rawBytes) };
      await blobs.put({ key: sessionBlob(id, objectUlid, sessionUlid), body, metadata, storageClass }, { signal });
    },

    /**
     * The bytes of an object, checked: nothing of another length or digest is given out.
     * @throws {SessionLostError} there is none. @throws {CorruptValueError} it is another. @throws {BlobUnavailableError} nobody knows.
     */
    async read(id: TenantId, ref: SessionObjectRef, signal?: AbortSignal | undefined): Promise<Buffer> {
      const key = sessionBlob(id, ref.objectUlid, ref.sessionUlid);
      const found = await blobs.get(key, { maxBytes: ref.bytes, signal });
      if (found === null) throw new SessionLostError('The session was moved to S3, and its object is gone');
      requireBytes(found.body, ref);
      return found.body;
    },

    /** Deletes objects, any number; absent ones are no error. @throws {BlobUnavailableError} some may be gone. */
    async delete(id: TenantId, names: readonly SessionObjectName[], signal?: AbortSignal | undefined): Promise<void> {
      const blobKeys = names.map(({ objectUlid, sessionUlid }) => sessionBlob(id, objectUlid, sessionUlid));
      await blobs.delete(blobKeys, { signal });
    },
  };
}
