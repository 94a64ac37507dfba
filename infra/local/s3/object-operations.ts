import { parseRange } from './byte-range.ts';
import { checksumHeaders, checksumsToKeep } from './checksums.ts';
import type { ObjectMeta } from './object-file.ts';
import { encryptionHeaders, headersToKeep, responseOverrides } from './object-headers.ts';
import { isNotModified, writeCondition } from './preconditions.ts';
import type { S3Call, S3Deps, S3Operation, S3Reply } from './s3-operation.ts';
import { readVerified, readWholeBody } from './verified-body.ts';

const OVERRIDES = [
  'content-type',
  'content-disposition',
  'content-encoding',
  'content-language',
  'cache-control',
  'expires',
];

/** Operations on one object. */
export const objectOperations: readonly S3Operation[] = [
  { name: 'PutObject', method: 'PUT', target: 'object', run: putObject },
  {
    name: 'GetObject',
    method: 'GET',
    target: 'object',
    allows: OVERRIDES.map((name) => `response-${name}`),
    run: readObject,
  },
  { name: 'HeadObject', method: 'HEAD', target: 'object', run: readObject },
  { name: 'DeleteObject', method: 'DELETE', target: 'object', run: deleteObject },
];

async function putObject({ request, payload }: S3Call, { buckets, maxObjectBytes, now }: S3Deps): Promise<S3Reply> {
  const { bucket, key, headers } = request;
  buckets.indexOf(bucket);
  const condition = writeCondition(headers);
  const kept = headersToKeep(headers);
  const writer = await buckets.stage();
  try {
    const body = await readVerified(request, payload, { maxBytes: maxObjectBytes, onChunk: writer.write });
    const checksums = checksumsToKeep(body.digests);
    const etag = body.digests.md5.toString('hex');
    const meta: ObjectMeta = { key, sizeBytes: body.sizeBytes, etag, modifiedAtMs: now(), headers: kept, checksums };
    await writer.seal(meta);
    await buckets.commit(bucket, writer.path, meta, condition);
    return { status: 200, headers: { etag: `"${etag}"`, ...checksumHeaders(checksums), ...encryptionHeaders(kept) } };
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

async function readObject({ request, payload }: S3Call, { buckets }: S3Deps): Promise<S3Reply> {
  await readWholeBody(request, payload, 0);
  const opened = await buckets.open(request.bucket, request.key);
  try {
    const reply = describeObject(request, opened.meta);
    return { ...reply, object: { ...opened, range: reply.range } };
  } catch (error) {
    await opened.handle.close();
    throw error;
  }
}

function describeObject({ headers, query }: S3Call['request'], meta: ObjectMeta) {
  const validators = { etag: `"${meta.etag}"`, 'last-modified': new Date(meta.modifiedAtMs).toUTCString() };
  if (isNotModified(headers, meta)) return { status: 304, headers: validators, range: null };
  const asked = parseRange(headers.range, meta.sizeBytes);
  const range = asked ?? (meta.sizeBytes === 0 ? null : { start: 0, end: meta.sizeBytes - 1 });
  const wantsChecksums = asked === null && headers['x-amz-checksum-mode']?.toUpperCase() === 'ENABLED';
  return {
    status: asked === null ? 200 : 206,
    headers: {
      'content-type': 'binary/octet-stream',
      'accept-ranges': 'bytes',
      ...validators,
      ...meta.headers,
      ...responseOverrides(query),
      ...(wantsChecksums ? checksumHeaders(meta.checksums) : {}),
      ...(asked === null ? {} : { 'content-range': `bytes ${asked.start}-${asked.end}/${meta.sizeBytes}` }),
      'content-length': range === null ? 0 : range.end - range.start + 1,
    },
    range,
  };
}

async function deleteObject({ request }: S3Call, { buckets }: S3Deps): Promise<S3Reply> {
  await buckets.remove(request.bucket, [request.key]);
  return { status: 204 };
}
