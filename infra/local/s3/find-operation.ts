import { bucketOperations } from './bucket-operations.ts';
import { copyObject } from './copy-operation.ts';
import { multipartOperations } from './multipart-operations.ts';
import { objectOperations } from './object-operations.ts';
import { notImplemented } from './s3-error.ts';
import type { S3Operation } from './s3-operation.ts';
import type { S3Request } from './s3-request.ts';

/** Everything this endpoint does. What is not in the table answers 501. */
export const s3Operations: readonly S3Operation[] = [
  ...bucketOperations,
  ...objectOperations,
  copyObject,
  ...multipartOperations,
];

/** Headers that change what a call means, in ways this endpoint does not follow. */
const REFUSED_HEADERS =
  /^x-amz-(copy-source-.+|server-side-encryption-customer-.+|object-lock-.+|write-offset-bytes|acl|grant-.+)$/;
/** Part of a presigned URL, or a note of the SDK's: they belong to every operation. */
const ANY_OPERATION = /^(X-Amz-.+|x-amz-.+|x-id)$/;

/** The operation a request asks for. @throws {S3Error} 501 when there is none. */
export function findOperation(request: S3Request): S3Operation {
  const refused = Object.keys(request.headers).find((name) => REFUSED_HEADERS.test(name));
  if (refused !== undefined) throw notImplemented(`The header ${refused}`);
  const operation = s3Operations.find((candidate) => applies(candidate, request));
  if (operation === undefined) throw notImplemented('This operation');
  return operation;
}

function applies(operation: S3Operation, request: S3Request): boolean {
  const { method, target, requires = [], allows = [], copies = false } = operation;
  if (method !== request.method || target !== targetOf(request)) return false;
  if (copies !== (request.headers['x-amz-copy-source'] !== undefined)) return false;
  const required = requires.map((parameter) => parameter.split('=') as [string, string?]);
  const holds = ([name, value]: [string, string?]) =>
    value === undefined ? request.query.has(name) : request.query.get(name) === value;
  const known = new Set([...allows, ...required.map(([name]) => name)]);
  return (
    required.every(holds) && [...request.query.keys()].every((name) => known.has(name) || ANY_OPERATION.test(name))
  );
}

function targetOf({ bucket, key }: S3Request): S3Operation['target'] {
  if (bucket === '') return 'service';
  return key === '' ? 'bucket' : 'object';
}
