/** URLs by which who has no credentials may write or read one object. Loaded when the first is made. */
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { S3Connection } from './s3-connection.ts';
import type { PresignedPut, PresignGet, PresignPut } from './store.ts';

/** What an upload must be sent with, besides its length: signed, so that nothing else is taken. */
const HEADERS = { 'content-type': 'application/octet-stream', 'if-none-match': '*' } as const;
const SIGNED = ['content-length', ...Object.keys(HEADERS)];

interface Signing {
  readonly connection: S3Connection;
  readonly bucket: string;
}

/** Signed: the length, the type, and that there is no such object yet: what was uploaded stays what it is. */
export async function presignPut({ connection, bucket }: Signing, put: PresignPut): Promise<PresignedPut> {
  const command = new connection.sdk.PutObjectCommand({
    Bucket: bucket,
    Key: put.key,
    ContentLength: put.bytes,
    ContentType: HEADERS['content-type'],
    IfNoneMatch: HEADERS['if-none-match'],
  });
  const expiresIn = Math.floor(put.forMs / 1000);
  // Headers that are in the query need not be sent: these must.
  const options = { expiresIn, signableHeaders: new Set(['host', ...SIGNED]), unhoistableHeaders: new Set(SIGNED) };
  return { url: await getSignedUrl(connection.client, command, options), headers: { ...HEADERS } };
}

/** The answer carries the content type given here. */
export function presignGet({ connection, bucket }: Signing, get: PresignGet): Promise<string> {
  const command = new connection.sdk.GetObjectCommand({
    Bucket: bucket,
    Key: get.key,
    ResponseContentType: get.contentType,
    ResponseCacheControl: 'private, no-store',
    ResponseContentDisposition: 'attachment',
  });
  return getSignedUrl(connection.client, command, { expiresIn: Math.floor(get.forMs / 1000) });
}
