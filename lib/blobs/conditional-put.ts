import { randomUUID } from 'node:crypto';
import { attemptsOf, sdkError, statusOf } from '../aws/sdk-error.ts';
import type { S3Connection } from './s3-connection.ts';
import type { PutBlob } from './store.ts';

/** Metadata by which a conditional write knows itself again when its first answer was lost; never shown to callers. */
export const WRITE_ID = 'riptide-write';

/** How often a write that met another one (409) is sent again. */
const MAX_CONFLICTS = 3;

export interface ConditionalPut {
  readonly bucket: string;
  readonly blob: PutBlob & { readonly onlyIf: NonNullable<PutBlob['onlyIf']> };
  readonly abortSignal: AbortSignal;
}

/**
 * Writes an object only if its condition holds.
 *
 * A racing writer may make S3 answer 409: the same request is sent again and S3 decides. When the SDK had to send it
 * twice, a 412 may come from the first sending, whose answer was lost: then the object is read, and if it carries this
 * write's id the write took place.
 * @returns its ETag, or null when the condition did not hold.
 * @throws the SDK's errors.
 */
export async function conditionalPut(
  { sdk, client }: S3Connection,
  put: ConditionalPut,
): Promise<{ etag: string } | null> {
  const { bucket, blob, abortSignal } = put;
  const writeId = randomUUID();
  const command = new sdk.PutObjectCommand({
    ...putInput(bucket, blob),
    Metadata: { ...blob.metadata, [WRITE_ID]: writeId },
    ...(blob.onlyIf === 'absent' ? { IfNoneMatch: '*' } : { IfMatch: blob.onlyIf.etag }),
  });
  let wasRepeated = false;
  for (let conflicts = 0; ; conflicts += 1) {
    try {
      const { ETag = '' } = await client.send(command, { abortSignal });
      return { etag: ETag };
    } catch (error) {
      wasRepeated ||= attemptsOf(error) > 1;
      if (statusOf(error) === 409 && conflicts < MAX_CONFLICTS) continue;
      if (!isRefusal(error)) throw error;
      return wasRepeated ? await findOwn({ sdk, client }, put, writeId) : null;
    }
  }
}

/** What every put sends, with or without a condition. */
export function putInput(bucket: string, { key, body, metadata, contentType, storageClass }: PutBlob) {
  return {
    Bucket: bucket,
    Key: key,
    Body: body,
    ...(metadata === undefined ? {} : { Metadata: { ...metadata } }),
    ...(contentType === undefined ? {} : { ContentType: contentType }),
    ...(storageClass === undefined ? {} : { StorageClass: storageClass }),
  };
}

/** 412; or 404 for an `etag` condition on an object that is gone. */
function isRefusal(error: unknown): boolean {
  return statusOf(error) === 412 || sdkError(error).name === 'NoSuchKey';
}

async function findOwn(
  { sdk, client }: S3Connection,
  put: ConditionalPut,
  writeId: string,
): Promise<{ etag: string } | null> {
  try {
    const command = new sdk.HeadObjectCommand({ Bucket: put.bucket, Key: put.blob.key });
    const { ETag = '', Metadata } = await client.send(command, { abortSignal: put.abortSignal });
    return Metadata?.[WRITE_ID] === writeId ? { etag: ETag } : null;
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw error;
  }
}
