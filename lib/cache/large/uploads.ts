/**
 * Values too large for a request: the caller is given a URL of S3 to write to, and then has the object become an entry's value.
 * Until then it is one that nobody uses: collected when it is never committed.
 */
import { sha256Of } from '../../blobs/sha256.ts';
import type { BlobStore } from '../../blobs/store.ts';
import type { CacheConfig } from '../../config/config.ts';
import { BodyTooLargeError, InvalidRequestError, UploadError } from '../../errors.ts';
import type { Caller } from '../../gate/caller.ts';
import type { TenantContext } from '../../gate/context-format.ts';
import type { Gate } from '../../gate/gate.ts';
import type { TenantId } from '../../ids.ts';
import { cacheBlob, type EntryName } from '../../keys.ts';
import { verifyAccess } from '../../redis/bindings/gate-scripts.ts';
import { resourceOf } from '../entry-call.ts';
import type { EntryWriter, SetEntry, SetOutcome } from '../entry-writer.ts';
import { type PackedEntry, type packOnce, stubOf } from '../packed-entry.ts';
import type { BlobObject } from './blob-format.ts';
import type { BlobValues } from './blob-values.ts';
import { packUploadId, readUploadId, type UploadId } from './upload-id.ts';

/** How long the URL can be used: less than the object stands, so that what was uploaded in time can be committed. */
const URL_MS = 10 * 60_000;

export interface BegunUpload {
  readonly uploadId: string;
  readonly url: string;
  /** To be sent with it. */
  readonly headers: Readonly<Record<string, string>>;
  /** The last moment to commit, by Redis' clock, Unix ms. */
  readonly expiresAtMs: number;
}

export type Uploads = ReturnType<typeof createUploads>;

export function createUploads(deps: {
  readonly gate: Pick<Gate, 'run'>;
  readonly config: CacheConfig;
  readonly blobs: BlobStore;
  readonly blobValues: BlobValues;
  readonly pack: ReturnType<typeof packOnce>;
  readonly writer: Pick<EntryWriter, 'setPacked'>;
  /** Drops this instance's own copy. */
  readonly forget: (id: TenantId, name: EntryName) => void;
}) {
  const { gate, config, blobs, blobValues, pack, writer, forget } = deps;

  /** Who may not write the entry makes nobody read an object. */
  const requireAccess = async (caller: Caller, name: EntryName): Promise<TenantContext> => {
    const ask = {
      script: verifyAccess,
      scope: 'cache:write',
      kind: 'read',
      keys: () => ({}),
      args: () => ({}),
    } as const;
    return (await gate.run(caller, { ...ask, resource: resourceOf(name) })).context;
  };

  /** What was uploaded. @throws {UploadError} nothing was, or it is not as long as was said. */
  const uploaded = async ({ tenantId, signal }: Caller, { ulid, bytes }: UploadId): Promise<Buffer> => {
    const key = cacheBlob(tenantId, ulid);
    const head = await blobs.head(key, { signal });
    if (head !== null && head.sizeBytes !== bytes) {
      const details = { announced_bytes: bytes, uploaded_bytes: head.sizeBytes };
      throw new UploadError('upload_mismatch', 'What was uploaded is not as long as was announced', { details });
    }
    const found = head && (await blobs.get(key, { maxBytes: bytes, signal }));
    if (found === null) throw uploadGone();
    return found.body;
  };

  return {
    /**
     * Lets the caller upload so many bytes, to become the value of that entry. One operation.
     * @throws {BodyTooLargeError} more than an entry may have. @throws {StorageFullError} `storage_full`.
     */
    async beginUpload(caller: Caller, name: EntryName, bytes: number): Promise<BegunUpload> {
      const max = config.maxEntrySizeBytes;
      if (bytes > max) {
        throw new BodyTooLargeError(`A cache entry may have ${max} bytes`, { details: { max_bytes: max } });
      }
      const slot = await blobValues.begin(caller, name, { bytes, metered: true });
      const put = { key: cacheBlob(caller.tenantId, slot.ulid), bytes, forMs: URL_MS };
      const { url, headers } = await blobs.presignPut(put, { signal: caller.signal });
      return { uploadId: packUploadId({ ...slot, bytes }), url, headers, expiresAtMs: slot.untilMs };
    },

    /**
     * Has the uploaded object become the entry's value; of a tenant that encrypts, a sealed copy of it. Done again it answers as
     * before, as long as the entry is still that one; of a sealed one `storedBytes` may be those that were uploaded.
     * @throws {UploadError} `upload_gone`, `upload_mismatch`. @throws as `EntryWriter.set`.
     */
    async commitUpload(
      caller: Caller,
      name: EntryName,
      uploadId: string,
      entry: Omit<SetEntry, 'value'>,
    ): Promise<SetOutcome> {
      const upload = readUploadId(uploadId);
      if (upload === null) throw new InvalidRequestError('This is no upload id', { issues: [BAD_ID] });
      const { generation, data_key } = await requireAccess(caller, name);
      const { tenantId, signal } = caller;
      const standing = { generation, signal };
      const sealed = data_key !== 0;
      // Unsealed, the script that stores the entry takes the object from what waits; sealed, nothing does.
      const used = sealed && !(await blobValues.isWaiting(tenantId, upload, standing));
      const value = used ? NOTHING : await uploaded(caller, upload);
      // Of one that was used the script knows whether it was by this entry: it answers as before, or that it waits no more.
      const own =
        sealed && !used
          ? pack(caller, name, { value, meta: entry.meta })
          : async () => asUploaded(upload, entry, value);
      // Also when it failed: nobody knows then what is stored.
      const stored = writer.setPacked(caller, name, entry, { pack: own, op: upload.ulid });
      const outcome = await stored.finally(() => forget(tenantId, name));
      if (sealed && !used) await blobValues.doom(tenantId, upload, standing);
      return outcome;
    },
  };
}

/** The object as it was uploaded is the entry's. */
function asUploaded({ ulid, bytes, untilMs }: UploadId, { meta }: Pick<SetEntry, 'meta'>, value: Buffer): PackedEntry {
  const object: BlobObject = { codec: 'raw', bytes: value, rawBytes: bytes };
  return stubOf(meta, object, { ulid, untilMs, ref: { ulid, bytes, sha256: sha256Of(value) } });
}

const NOTHING = Buffer.alloc(0);
const BAD_ID = { field: 'query.upload_id', message: 'must be as it was given when the upload began' };
const uploadGone = () =>
  new UploadError(
    'upload_gone',
    'Nothing was uploaded under this id, or it was used, or its time is over; begin again',
  );
