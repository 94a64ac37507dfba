/**
 * The port to object storage. s3-store.ts implements it over @aws-sdk/client-s3; the suite is
 * test/conformance/blob-store.test.ts, against a real S3 API.
 */
/** Classes of S3 whose objects can be read at once. */
export type StorageClass = 'STANDARD' | 'STANDARD_IA' | 'ONEZONE_IA' | 'INTELLIGENT_TIERING' | 'GLACIER_IR';

export interface BlobInfo {
  readonly key: string;
  /** Bytes stored. */
  readonly sizeBytes: number;
  /** As S3 gives it, quotes included. */
  readonly etag: string;
  /** Own metadata, names in lower case. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Unix time, ms. */
  readonly modifiedAtMs: number;
  /** As S3 names it; age may have moved the object to another than it was put into. */
  readonly storageClass: string;
}

export interface Blob extends BlobInfo {
  readonly body: Buffer;
}

export interface PutBlob {
  readonly key: string;
  readonly body: Uint8Array;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly contentType?: string;
  /** Absent: the bucket's default. */
  readonly storageClass?: StorageClass;
  /** `absent`: only when no object has this key yet. Otherwise an ETag that must still be the object's. */
  readonly onlyIf?: 'absent' | { readonly etag: string };
}

export interface BlobOptions {
  readonly signal?: AbortSignal | undefined;
}

/** An upload to be allowed. */
export interface PresignPut {
  readonly key: string;
  /** Of the body: another length is refused. */
  readonly bytes: number;
  /** How long the URL can be used, whole seconds in ms. */
  readonly forMs: number;
}

export interface PresignedPut {
  readonly url: string;
  /** To be sent with it. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A download to be allowed. */
export interface PresignGet {
  readonly key: string;
  /** Of the answer. */
  readonly contentType: string;
  /** How long the URL can be used, whole seconds in ms. */
  readonly forMs: number;
}

/** Durable before it answers. Each call ends within `blobs.requestTimeoutMs`, its body included. */
export interface BlobStore {
  /**
   * Stores the whole object or nothing.
   * @returns its ETag, or null when `onlyIf` did not hold (412, or 409 of a racing writer, read again).
   * @throws {BlobUnavailableError}
   */
  put(blob: PutBlob, options?: BlobOptions): Promise<{ readonly etag: string } | null>;
  /** The object, or null. `range`: the bytes from `start` to `end`, the last included. @throws {BlobUnavailableError} */
  get(
    key: string,
    options?: BlobOptions & { readonly range?: { start: number; end: number }; readonly maxBytes?: number },
  ): Promise<Blob | null>;
  /** What is known without its body, or null. @throws {BlobUnavailableError} */
  head(key: string, options?: BlobOptions): Promise<BlobInfo | null>;
  /** One page, in key order. `cursor` is the last key of the page before. @throws {BlobUnavailableError} */
  list(
    page: { readonly prefix: string; readonly cursor?: string | undefined; readonly limit?: number },
    options?: BlobOptions,
  ): Promise<{ readonly items: readonly Omit<BlobInfo, 'metadata'>[]; readonly nextCursor: string | null }>;
  /** Removes them; absent ones are no error. Any number, 1,000 a call. @throws {BlobUnavailableError} */
  delete(keys: readonly string[], options?: BlobOptions): Promise<void>;
  /**
   * A URL by which anybody may write the object once, with exactly so many bytes and these headers. Nothing is sent.
   * @throws {BlobUnavailableError} there are no credentials to sign with.
   */
  presignPut(put: PresignPut, options?: BlobOptions): Promise<PresignedPut>;
  /** A URL by which anybody may read the object. Nothing is sent. @throws as `presignPut` */
  presignGet(get: PresignGet, options?: BlobOptions): Promise<string>;
  /** Whether the bucket answers now. @throws {BlobUnavailableError} it does not. */
  ping(options?: BlobOptions): Promise<void>;
}
