import type { WriteCondition } from './bucket-store.ts';
import type { ObjectMeta } from './object-file.ts';
import { noSuchKey, notImplemented, preconditionFailed } from './s3-error.ts';

type Headers = Readonly<Record<string, string>>;

/** The condition on a write: `If-None-Match: *`, or `If-Match` with an ETag. @throws {S3Error} 501 for any other. */
export function writeCondition(headers: Headers): WriteCondition {
  const ifNoneMatch = headers['if-none-match'];
  const ifMatch = headers['if-match'];
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') throw notImplemented('If-None-Match with an ETag on a write');
  return (current) => {
    if (ifNoneMatch !== undefined && current !== undefined) throw preconditionFailed();
    if (ifMatch === undefined) return;
    if (current === undefined) throw noSuchKey();
    if (!matches(ifMatch, current.etag)) throw preconditionFailed();
  };
}

/**
 * The conditions on a read, in the order RFC 9110 gives them.
 * @returns whether the caller has this version already (304).
 * @throws {S3Error} 412.
 */
export function isNotModified(headers: Headers, meta: ObjectMeta): boolean {
  const modifiedSecond = Math.floor(meta.modifiedAtMs / 1000) * 1000;
  const ifMatch = headers['if-match'];
  const unmodifiedSince = Date.parse(headers['if-unmodified-since'] ?? '');
  if (ifMatch !== undefined && !matches(ifMatch, meta.etag)) throw preconditionFailed();
  if (ifMatch === undefined && modifiedSecond > unmodifiedSince) throw preconditionFailed();
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined) return matches(ifNoneMatch, meta.etag);
  return modifiedSecond <= Date.parse(headers['if-modified-since'] ?? '');
}

function matches(list: string, etag: string): boolean {
  const bare = list.split(',').map((tag) => tag.trim().replace(/^W\//, '').replaceAll('"', ''));
  return bare.includes('*') || bare.includes(etag);
}
