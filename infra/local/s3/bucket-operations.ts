import { uriEncode } from '../aws/signature.ts';
import type { IndexEntry } from './key-index.ts';
import { listPage } from './list-page.ts';
import { notImplemented, S3Error } from './s3-error.ts';
import type { S3Call, S3Deps, S3Operation, S3Reply } from './s3-operation.ts';
import { readWholeBody } from './verified-body.ts';
import { element, innerXml, textElement, textOf, xmlDocument } from './xml.ts';

const MAX_PAGE = 1000;
const MAX_DELETE_KEYS = 1000;
/** 1,000 keys of 1,024 bytes, each byte at most a six-byte reference. */
const MAX_XML_BYTES = 8 * 1024 * 1024;

/** Operations on the service and on a bucket. */
export const bucketOperations: readonly S3Operation[] = [
  { name: 'ListBuckets', method: 'GET', target: 'service', run: listBuckets },
  { name: 'CreateBucket', method: 'PUT', target: 'bucket', run: createBucket },
  { name: 'HeadBucket', method: 'HEAD', target: 'bucket', run: headBucket },
  { name: 'DeleteBucket', method: 'DELETE', target: 'bucket', run: deleteBucket },
  { name: 'GetBucketLocation', method: 'GET', target: 'bucket', requires: ['location'], run: getLocation },
  {
    name: 'ListObjectsV2',
    method: 'GET',
    target: 'bucket',
    requires: ['list-type=2'],
    allows: ['prefix', 'delimiter', 'max-keys', 'continuation-token', 'start-after', 'encoding-type', 'fetch-owner'],
    run: listObjects,
  },
  { name: 'DeleteObjects', method: 'POST', target: 'bucket', requires: ['delete'], run: deleteObjects },
];

async function listBuckets(_call: S3Call, { buckets }: S3Deps): Promise<S3Reply> {
  const created = textElement('CreationDate', new Date(0).toISOString());
  const items = buckets.bucketNames().map((name) => element('Bucket', textElement('Name', name), created));
  return { status: 200, xml: xmlDocument('ListAllMyBucketsResult', element('Buckets', ...items)) };
}

async function createBucket({ request, payload }: S3Call, { buckets }: S3Deps): Promise<S3Reply> {
  await readWholeBody(request, payload, MAX_XML_BYTES);
  await buckets.createBucket(request.bucket);
  return { status: 200, headers: { location: `/${request.bucket}` } };
}

async function headBucket({ request }: S3Call, { buckets, region }: S3Deps): Promise<S3Reply> {
  buckets.indexOf(request.bucket);
  return { status: 200, headers: { 'x-amz-bucket-region': region } };
}

async function deleteBucket({ request }: S3Call, { buckets }: S3Deps): Promise<S3Reply> {
  await buckets.deleteBucket(request.bucket);
  return { status: 204 };
}

async function getLocation({ request }: S3Call, { buckets, region }: S3Deps): Promise<S3Reply> {
  buckets.indexOf(request.bucket);
  return { status: 200, xml: xmlDocument('LocationConstraint', region === 'us-east-1' ? '' : region) };
}

async function listObjects({ request, payload }: S3Call, { buckets }: S3Deps): Promise<S3Reply> {
  await readWholeBody(request, payload, 0);
  const { query, bucket } = request;
  const index = buckets.indexOf(bucket);
  const token = query.get('continuation-token');
  const prefix = query.get('prefix') ?? '';
  const limit = pageLimit(query.get('max-keys'));
  const after = token === null ? (query.get('start-after') ?? '') : Buffer.from(token, 'base64url').toString();
  const page = listPage(index.sortedKeys(), { prefix, delimiter: query.get('delimiter') ?? '', after, limit });
  const name = keyWriter(query.get('encoding-type'));
  const entries = page.keys.map((key) => index.get(key)).filter((entry) => entry !== undefined);
  return {
    status: 200,
    xml: xmlDocument(
      'ListBucketResult',
      textElement('Name', bucket),
      textElement('Prefix', name(prefix)),
      textElement('KeyCount', page.keys.length + page.commonPrefixes.length),
      textElement('MaxKeys', limit),
      textElement('IsTruncated', page.next !== null),
      page.next === null ? '' : textElement('NextContinuationToken', Buffer.from(page.next).toString('base64url')),
      ...entries.map((entry) => contents(entry, name)),
      ...page.commonPrefixes.map((common) => element('CommonPrefixes', textElement('Prefix', name(common)))),
    ),
  };
}

function pageLimit(maxKeys: string | null): number {
  if (maxKeys === null) return MAX_PAGE;
  if (!/^\d{1,9}$/.test(maxKeys)) throw new S3Error(400, 'InvalidArgument', 'max-keys must be a whole number');
  return Math.min(MAX_PAGE, Number(maxKeys));
}

function keyWriter(encodingType: string | null): (key: string) => string {
  if (encodingType === null) return (key) => key;
  if (encodingType !== 'url') throw new S3Error(400, 'InvalidArgument', 'Invalid Encoding Method specified in Request');
  return (key) => uriEncode(key).replaceAll('%2F', '/');
}

function contents(entry: IndexEntry, name: (key: string) => string): string {
  return element(
    'Contents',
    textElement('Key', name(entry.key)),
    textElement('LastModified', new Date(entry.modifiedAtMs).toISOString()),
    textElement('ETag', `"${entry.etag}"`),
    textElement('Size', entry.sizeBytes),
    textElement('StorageClass', entry.storageClass),
  );
}

async function deleteObjects({ request, payload }: S3Call, { buckets }: S3Deps): Promise<S3Reply> {
  const xml = (await readWholeBody(request, payload, MAX_XML_BYTES)).toString();
  const objects = innerXml(xml, 'Object');
  const keys = objects.map((object) => textOf(object, 'Key'));
  if (keys.length === 0 || keys.length > MAX_DELETE_KEYS || !keys.every((key) => key !== undefined && key !== '')) {
    throw new S3Error(400, 'MalformedXML', 'The XML you provided was not well-formed or did not validate.');
  }
  if (objects.some((object) => textOf(object, 'VersionId') !== undefined)) throw notImplemented('Deleting a version');
  const present = keys.filter((key) => key !== undefined);
  await buckets.remove(request.bucket, present);
  const isQuiet = textOf(xml, 'Quiet') === 'true';
  const deleted = isQuiet ? [] : present.map((key) => element('Deleted', textElement('Key', key)));
  return { status: 200, xml: xmlDocument('DeleteResult', ...deleted) };
}
