import type { Readable } from 'node:stream';
import { deadlineSignal } from '../aws/deadline-signal.ts';
import { sdkError, statusOf } from '../aws/sdk-error.ts';
import type { BlobConfig } from '../config/config.ts';
import { AppError, BlobUnavailableError, CorruptValueError } from '../errors.ts';
import { conditionalPut, putInput, WRITE_ID } from './conditional-put.ts';
import { lazyConnection, readBody, type S3Connection, type S3Credentials } from './s3-connection.ts';
import { blobFailure } from './s3-failure.ts';
import type { BlobInfo, BlobStore } from './store.ts';

const MAX_PAGE = 1000;
const MAX_DELETE_KEYS = 1000;
/** Of this class S3 says nothing. */
const DEFAULT_CLASS = 'STANDARD';

/** The fields of an SDK answer about one object. */
interface Described {
  readonly ContentLength?: number | undefined;
  readonly ContentRange?: string | undefined;
  readonly ETag?: string | undefined;
  readonly LastModified?: Date | undefined;
  readonly Metadata?: Record<string, string> | undefined;
  readonly StorageClass?: string | undefined;
}

/**
 * Object storage over the AWS SDK, against S3 or anything that speaks it. Nothing is loaded or connected before the
 * first call. Each call ends within `requestTimeoutMs`, retries and body included; for `delete`, each thousand keys.
 * @param deps.credentials keys of its own; without them, those of the environment or of the function's role.
 */
export function createS3Store(config: BlobConfig, deps: { readonly credentials?: S3Credentials } = {}): BlobStore {
  const connect = lazyConnection(config, deps.credentials);
  // The checksum of an SDK's request would be one of an empty body.
  const connectToSign = lazyConnection({ ...config, checksums: 'required' }, deps.credentials);
  const Bucket = config.bucket;

  /** Runs a call under the deadline. Whatever the SDK throws becomes an error of ours, here and nowhere else. */
  async function run<T>(
    operation: string,
    signal: AbortSignal | undefined,
    call: (connection: S3Connection, abortSignal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const abortSignal = deadlineSignal(config.requestTimeoutMs, signal);
    try {
      return await call(await connect(), abortSignal);
    } catch (error) {
      throw error instanceof AppError
        ? error
        : blobFailure(operation, abortSignal.aborted ? abortSignal.reason : error);
    }
  }

  return {
    put: (blob, options) =>
      run('put', options?.signal, async (connection, abortSignal) => {
        const { onlyIf } = blob;
        if (onlyIf !== undefined) {
          return conditionalPut(connection, { bucket: Bucket, blob: { ...blob, onlyIf }, abortSignal });
        }
        const command = new connection.sdk.PutObjectCommand(putInput(Bucket, blob));
        const { ETag = '' } = await connection.client.send(command, { abortSignal });
        return { etag: ETag };
      }),

    get: (key, { range, maxBytes = Number.POSITIVE_INFINITY, signal } = {}) =>
      run('get', signal, async ({ sdk, client }, abortSignal) => {
        const Range = range === undefined ? {} : { Range: `bytes=${range.start}-${range.end}` };
        const command = new sdk.GetObjectCommand({ Bucket, Key: key, ...Range });
        const found = await orNull(client.send(command, { abortSignal }), 'NoSuchKey');
        if (found === null) return null;
        const limits = { sizeBytes: found.ContentLength ?? 0, maxBytes, signal: abortSignal };
        const body = await readBody(found.Body as Readable, limits);
        return { ...describe(key, found), body };
      }),

    head: (key, options) =>
      run('head', options?.signal, async ({ sdk, client }, abortSignal) => {
        const command = new sdk.HeadObjectCommand({ Bucket, Key: key });
        const found = await orNull(client.send(command, { abortSignal }), 'NotFound');
        return found === null ? null : describe(key, found);
      }),

    list: ({ prefix, cursor, limit = MAX_PAGE }, options) =>
      run('list', options?.signal, async ({ sdk, client }, abortSignal) => {
        const after = cursor === undefined ? {} : { StartAfter: cursor };
        const page = { Bucket, Prefix: prefix, MaxKeys: Math.min(limit, MAX_PAGE), ...after };
        const listed = await client.send(new sdk.ListObjectsV2Command(page), { abortSignal });
        const items = (listed.Contents ?? []).map(({ Key = '', Size = 0, ETag = '', LastModified, StorageClass }) => ({
          key: Key,
          sizeBytes: Size,
          etag: ETag,
          modifiedAtMs: LastModified?.getTime() ?? 0,
          storageClass: StorageClass ?? DEFAULT_CLASS,
        }));
        return { items, nextCursor: listed.IsTruncated === true ? (items.at(-1)?.key ?? null) : null };
      }),

    async delete(keys, options) {
      for (let at = 0; at < keys.length; at += MAX_DELETE_KEYS) {
        const batch = keys.slice(at, at + MAX_DELETE_KEYS);
        await run('delete', options?.signal, (connection, abortSignal) =>
          deleteBatch(connection, { Bucket, batch, abortSignal }),
        );
      }
    },

    presignPut: (put, options) =>
      run('presign', options?.signal, async () => {
        const [{ presignPut }, connection] = await Promise.all([import('./presign.ts'), connectToSign()]);
        return presignPut({ connection, bucket: Bucket }, put);
      }),

    presignGet: (get, options) =>
      run('presign', options?.signal, async () => {
        const [{ presignGet }, connection] = await Promise.all([import('./presign.ts'), connectToSign()]);
        return presignGet({ connection, bucket: Bucket }, get);
      }),

    ping: (options) =>
      run('ping', options?.signal, async ({ sdk, client }, abortSignal) => {
        await client.send(new sdk.HeadBucketCommand({ Bucket }), { abortSignal });
      }),
  };
}

/** Null for the error that says there is no such object. */
async function orNull<T>(sent: Promise<T>, absent: 'NoSuchKey' | 'NotFound'): Promise<T | null> {
  try {
    return await sent;
  } catch (error) {
    if (sdkError(error).name === absent) return null;
    if (statusOf(error) === 416) throw new CorruptValueError('A stored object is shorter than the range asked of it');
    throw error;
  }
}

async function deleteBatch(
  { sdk, client }: S3Connection,
  { Bucket, batch, abortSignal }: { Bucket: string; batch: readonly string[]; abortSignal: AbortSignal },
): Promise<void> {
  const Delete = { Quiet: true, Objects: batch.map((Key) => ({ Key })) };
  const { Errors = [] } = await client.send(new sdk.DeleteObjectsCommand({ Bucket, Delete }), { abortSignal });
  if (Errors.length === 0) return;
  throw new BlobUnavailableError('Object storage: some objects were not deleted', {
    details: { operation: 'delete', failed: Errors.length, reason: Errors[0]?.Code ?? 'Unknown' },
  });
}

function describe(
  key: string,
  { ContentLength = 0, ContentRange, ETag = '', LastModified, Metadata = {}, StorageClass }: Described,
): BlobInfo {
  const { [WRITE_ID]: _ours, ...metadata } = Metadata;
  const wholeBytes = ContentRange === undefined ? ContentLength : Number(ContentRange.split('/')[1]);
  const modifiedAtMs = LastModified?.getTime() ?? 0;
  return {
    key,
    sizeBytes: wholeBytes,
    etag: ETag,
    metadata,
    modifiedAtMs,
    storageClass: StorageClass ?? DEFAULT_CLASS,
  };
}
