import { notImplemented, S3Error } from './s3-error.ts';

/** The header by which an upload names its class, and an answer that of an object. */
export const STORAGE_CLASS = 'x-amz-storage-class';
export const STANDARD = 'STANDARD';

/** Classes whose objects answer at once: here all are the same file. */
const AT_ONCE = [STANDARD, 'STANDARD_IA', 'ONEZONE_IA', 'INTELLIGENT_TIERING', 'GLACIER_IR', 'REDUCED_REDUNDANCY'];
/** Classes of S3 whose objects must be restored before they are read. */
const AFTER_RESTORE = ['GLACIER', 'DEEP_ARCHIVE'];

/**
 * The class of an upload as its object keeps it. As in S3, `STANDARD` is that of an object without one, and not told of it.
 * @param asked the header; none: S3's own default.
 * @throws {S3Error} 400 `InvalidStorageClass` for one S3 does not know; 501 for one that needs a restore.
 */
export function storageClassHeader(asked: string = STANDARD): Readonly<Record<string, string>> {
  if (AFTER_RESTORE.includes(asked)) throw notImplemented(`The storage class ${asked}`);
  if (!AT_ONCE.includes(asked)) {
    throw new S3Error(400, 'InvalidStorageClass', 'The storage class you specified is not valid');
  }
  return asked === STANDARD ? {} : { [STORAGE_CLASS]: asked };
}
