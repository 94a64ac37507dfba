/**
 * Values that do not fit into a reply: read from S3 by a URL. What stands there as it was given is linked to; what is packed,
 * sealed or in Redis is put there for a while first, as an object nobody takes into use.
 */
import type { BlobStore } from '../../blobs/store.ts';
import { CorruptValueError } from '../../errors.ts';
import type { TenantId } from '../../ids.ts';
import { cacheBlob } from '../../keys.ts';
import { type Reading, readEntry, readHead, type StoredEntry, type StoredHead } from '../entry.ts';
import { type BlobRef, type EntryCodec, parseHead } from '../entry-format.ts';
import type { BlobValues } from './blob-values.ts';

export interface ValueLink {
  readonly url: string;
  /** Unix ms, by this instance's clock. */
  readonly expiresAtMs: number;
  /** Of the value, base64url. */
  readonly sha256: string;
}

/** An entry whose value is to be read from S3. */
export type LinkedEntry = StoredHead & { readonly link: ValueLink };

/** How long a URL can be used. */
const LINK_MS = 5 * 60_000;
/** A download that began with the last second of its URL. */
const DOWNLOAD_MS = 5 * 60_000;
/** Whose objects have the value as it was given. */
const AS_GIVEN: readonly EntryCodec[] = ['raw', 'text', 'num', 'b64'];

export type ValueLinks = ReturnType<typeof createValueLinks>;

interface Asked {
  readonly tenantId: TenantId;
  readonly generation: number;
  readonly signal?: AbortSignal | undefined;
}

export function createValueLinks(deps: {
  readonly blobs: Pick<BlobStore, 'head' | 'presignGet'>;
  readonly blobValues: Pick<BlobValues, 'register' | 'put'>;
  readonly now: () => number;
}) {
  const { blobs, blobValues, now } = deps;

  const linkTo = async (
    { tenantId, signal }: Asked,
    known: StoredHead,
    { ulid, sha256 }: BlobRef,
  ): Promise<LinkedEntry> => {
    const expiresAtMs = now() + LINK_MS;
    const get = { key: cacheBlob(tenantId, ulid), contentType: known.meta.content_type, forMs: LINK_MS };
    return { ...known, link: { url: await blobs.presignGet(get, { signal }), expiresAtMs, sha256 } };
  };

  /** Nobody checks what is read by a URL: it must at least be the object that was written. */
  const requireObject = async ({ tenantId, signal }: Asked, { ulid, bytes, sha256 }: BlobRef) => {
    const found = await blobs.head(cacheBlob(tenantId, ulid), { signal });
    const digest = found?.metadata['riptide-sha256'] ?? sha256;
    if (found?.sizeBytes === bytes && digest === sha256) return;
    throw new CorruptValueError('The object of a stored entry is missing, or another');
  };

  const stage = async (asked: Asked, entry: StoredEntry): Promise<LinkedEntry> => {
    const { value: bytes, ...known } = entry;
    const slot = await blobValues.register(asked.tenantId, { ...asked, forMs: LINK_MS + DOWNLOAD_MS });
    const object = { codec: 'raw', bytes, rawBytes: bytes.length } as const;
    const { ref } = await blobValues.put(asked.tenantId, slot, object, asked.signal);
    return linkTo(asked, known, ref);
  };

  return {
    /** A link to the value of a stored entry. @throws as `readEntry`. @throws {BlobUnavailableError} */
    async link(text: string, reading: Reading, asked: Asked): Promise<LinkedEntry> {
      const { blob, codec } = parseHead(text).head;
      if (blob === null || !AS_GIVEN.includes(codec)) return stage(asked, await readEntry(text, reading));
      await requireObject(asked, blob);
      return linkTo(asked, readHead(text, reading.nowMs), blob);
    },

    /** A link to a value that was read already. */
    stage,
  };
}
