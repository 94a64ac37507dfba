import type { ObjectMeta, ObjectWriter, OpenObject } from './object-file.ts';
import { headersToKeep } from './object-headers.ts';
import { writeCondition } from './preconditions.ts';
import { S3Error } from './s3-error.ts';
import type { S3Call, S3Deps, S3Operation, S3Reply } from './s3-operation.ts';
import { STORAGE_CLASS, storageClassHeader } from './storage-class.ts';
import { readWholeBody } from './verified-body.ts';
import { textElement, xmlDocument } from './xml.ts';

/** Copies an object inside the endpoint, its metadata too unless told to replace it. Its class is that of the request. */
export const copyObject: S3Operation = { name: 'CopyObject', method: 'PUT', target: 'object', copies: true, run: copy };

async function copy({ request, payload }: S3Call, { buckets, now }: S3Deps): Promise<S3Reply> {
  await readWholeBody(request, payload, 0);
  const { bucket, key, headers } = request;
  buckets.indexOf(bucket);
  const condition = writeCondition(headers);
  const from = sourceOf(headers['x-amz-copy-source'] ?? '');
  const keptOf = copiedHeaders(headers);
  const source = await buckets.open(from.bucket, from.key);
  const writer = await buckets.stage();
  try {
    const meta: ObjectMeta = { ...source.meta, headers: keptOf(source.meta), key, modifiedAtMs: now() };
    await copyBytes(source, writer);
    await writer.seal(meta);
    await buckets.commit(bucket, writer.path, meta, condition);
    return { status: 200, xml: copyResult(meta) };
  } catch (error) {
    await writer.discard();
    throw error;
  } finally {
    await source.handle.close();
  }
}

/** What the copy keeps, by the request's headers. @throws as `headersToKeep`, before anything is opened. */
function copiedHeaders(asked: ObjectMeta['headers']): (source: ObjectMeta) => ObjectMeta['headers'] {
  const isReplaced = asked['x-amz-metadata-directive'] === 'REPLACE';
  const own = isReplaced ? headersToKeep(asked) : storageClassHeader(asked[STORAGE_CLASS]);
  return ({ headers: { [STORAGE_CLASS]: _itsOwn, ...copied } }) => (isReplaced ? own : { ...copied, ...own });
}

function sourceOf(header: string): { bucket: string; key: string } {
  const match = /^\/?([^/]+)\/([^?]+)$/.exec(header);
  try {
    return { bucket: decodeURIComponent(match?.[1] ?? ''), key: decodeURIComponent(match?.[2] ?? '') };
  } catch {
    throw new S3Error(400, 'InvalidArgument', 'The copy source cannot be read');
  }
}

/** Appends an object's bytes, without its footer, to a file being written. */
export async function copyBytes(
  { meta, handle }: OpenObject,
  writer: ObjectWriter,
  onChunk?: (chunk: Buffer) => void,
): Promise<void> {
  if (meta.sizeBytes === 0) return;
  const stream = handle.createReadStream({ start: 0, end: meta.sizeBytes - 1, autoClose: false });
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    onChunk?.(chunk);
    await writer.write(chunk);
  }
}

function copyResult(meta: ObjectMeta): string {
  const modified = textElement('LastModified', new Date(meta.modifiedAtMs).toISOString());
  return xmlDocument('CopyObjectResult', textElement('ETag', `"${meta.etag}"`), modified);
}
