import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { checksumHeaders, checksumsToKeep, crc32Base64, namedChecksums } from './checksums.ts';
import { copyBytes } from './copy-operation.ts';
import type { ObjectMeta, ObjectWriter } from './object-file.ts';
import { encryptionHeaders, headersToKeep } from './object-headers.ts';
import { type PartClaim, parsePartList } from './part-list.ts';
import { writeCondition } from './preconditions.ts';
import { badDigest, S3Error } from './s3-error.ts';
import type { S3Call, S3Deps, S3Operation, S3Reply } from './s3-operation.ts';
import type { Upload, UploadStore } from './upload-store.ts';
import { readVerified, readWholeBody } from './verified-body.ts';
import { textElement, xmlDocument } from './xml.ts';

const MIN_PART_BYTES = 5 * 1024 * 1024;
const MAX_PARTS = 10_000;
const MAX_XML_BYTES = 4 * 1024 * 1024;

/** Uploads in parts. */
export const multipartOperations: readonly S3Operation[] = [
  { name: 'CreateMultipartUpload', method: 'POST', target: 'object', requires: ['uploads'], run: begin },
  { name: 'UploadPart', method: 'PUT', target: 'object', requires: ['uploadId', 'partNumber'], run: uploadPart },
  { name: 'CompleteMultipartUpload', method: 'POST', target: 'object', requires: ['uploadId'], run: complete },
  { name: 'AbortMultipartUpload', method: 'DELETE', target: 'object', requires: ['uploadId'], run: abort },
];

async function begin({ request, payload }: S3Call, { buckets, uploads, now }: S3Deps): Promise<S3Reply> {
  await readWholeBody(request, payload, 0);
  const { bucket, key } = request;
  buckets.indexOf(bucket);
  namedChecksums(request.headers);
  const headers = headersToKeep(request.headers);
  const meta = { key, sizeBytes: 0, etag: '', modifiedAtMs: now(), checksums: {} };
  const upload = await uploads.begin(meta, { bucket, key, headers });
  const names = [textElement('Bucket', bucket), textElement('Key', key), textElement('UploadId', upload.id)];
  return { status: 200, xml: xmlDocument('InitiateMultipartUploadResult', ...names) };
}

async function uploadPart({ request, payload }: S3Call, { uploads, maxObjectBytes, now }: S3Deps): Promise<S3Reply> {
  const upload = await findUpload(request, uploads);
  const part = Number(request.query.get('partNumber'));
  if (!Number.isInteger(part) || part < 1 || part > MAX_PARTS) {
    throw new S3Error(400, 'InvalidArgument', 'Part number must be an integer between 1 and 10000, inclusive');
  }
  const writer = await uploads.stagePart(upload);
  try {
    const body = await readVerified(request, payload, { maxBytes: maxObjectBytes, onChunk: writer.write });
    const etag = body.digests.md5.toString('hex');
    const checksums = checksumsToKeep(body.digests);
    await writer.seal({
      key: upload.key,
      sizeBytes: body.sizeBytes,
      etag,
      modifiedAtMs: now(),
      headers: {},
      checksums,
    });
    await uploads.commitPart(upload, part, writer.path);
    return { status: 200, headers: { etag: `"${etag}"`, ...checksumHeaders(checksums) } };
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

async function complete(
  { request, payload }: S3Call,
  { buckets, uploads, maxObjectBytes, now }: S3Deps,
): Promise<S3Reply> {
  const { bucket, key, headers } = request;
  const xml = (await readWholeBody(request, payload, MAX_XML_BYTES)).toString();
  const condition = writeCondition(headers);
  const upload = await findUpload(request, uploads);
  const writer = await buckets.stage();
  try {
    const joined = await joinParts({ uploads, upload, parts: parsePartList(xml), writer, maxObjectBytes });
    const said = headers['x-amz-checksum-crc32'];
    if (said !== undefined && !said.includes('-') && said !== joined.crc32) throw badDigest('CRC32');
    const meta: ObjectMeta = {
      key,
      ...joined,
      modifiedAtMs: now(),
      headers: upload.headers,
      checksums: { crc32: joined.crc32 },
    };
    await writer.seal(meta);
    await buckets.commit(bucket, writer.path, meta, condition);
    await uploads.remove(upload);
    return { status: 200, headers: encryptionHeaders(upload.headers), xml: completeResult(bucket, meta) };
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

async function abort({ request }: S3Call, { uploads }: S3Deps): Promise<S3Reply> {
  await uploads.remove(await findUpload(request, uploads));
  return { status: 204 };
}

const findUpload = (request: S3Call['request'], uploads: UploadStore) =>
  uploads.find(request.query.get('uploadId') ?? '', { bucket: request.bucket, key: request.key });

interface Joining {
  readonly uploads: UploadStore;
  readonly upload: Upload;
  readonly parts: readonly PartClaim[];
  readonly writer: ObjectWriter;
  readonly maxObjectBytes: number;
}

/** Appends the parts in order; the ETag is S3's: the MD5 of the parts' MD5s, and how many they are. */
async function joinParts({ uploads, upload, parts, writer, maxObjectBytes }: Joining) {
  const md5 = createHash('md5');
  let crc = 0;
  let sizeBytes = 0;
  for (const [position, claim] of parts.entries()) {
    const part = await uploads.openPart(upload, claim.number);
    try {
      if (part === null || !claim.isOf(part.meta))
        throw new S3Error(400, 'InvalidPart', 'One or more of the specified parts could not be found.');
      const isLast = position === parts.length - 1;
      if (!isLast && part.meta.sizeBytes < MIN_PART_BYTES)
        throw new S3Error(400, 'EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size');
      sizeBytes += part.meta.sizeBytes;
      if (sizeBytes > maxObjectBytes)
        throw new S3Error(400, 'EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size');
      md5.update(Buffer.from(part.meta.etag, 'hex'));
      await copyBytes(part, writer, (chunk) => {
        crc = crc32(chunk, crc);
      });
    } finally {
      await part?.handle.close();
    }
  }
  return { sizeBytes, etag: `${md5.digest('hex')}-${parts.length}`, crc32: crc32Base64(crc) };
}

function completeResult(bucket: string, meta: ObjectMeta): string {
  const names = [textElement('Bucket', bucket), textElement('Key', meta.key), textElement('ETag', `"${meta.etag}"`)];
  return xmlDocument('CompleteMultipartUploadResult', ...names);
}
