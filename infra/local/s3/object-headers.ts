import { invalidRequest, S3Error } from './s3-error.ts';
import { STORAGE_CLASS, storageClassHeader } from './storage-class.ts';

type Headers = Readonly<Record<string, string>>;

/** Headers of an upload that are kept and come back as they were. */
const KEPT = [
  'content-type',
  'cache-control',
  'content-disposition',
  'content-language',
  'expires',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-bucket-key-enabled',
];
const OWN_METADATA = 'x-amz-meta-';
const MAX_METADATA_BYTES = 2048;

/** What of an upload's headers is kept with its object. @throws {S3Error} for more metadata than S3 takes, or a class it does not. */
export function headersToKeep(headers: Headers): Headers {
  const own = Object.entries(headers).filter(([name]) => name.startsWith(OWN_METADATA));
  const bytes = own.reduce(
    (sum, [name, value]) => sum + name.length - OWN_METADATA.length + Buffer.byteLength(value, 'latin1'),
    0,
  );
  if (bytes > MAX_METADATA_BYTES) {
    throw new S3Error(400, 'MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size');
  }
  const kept = Object.entries(headers).filter(([name]) => KEPT.includes(name));
  const encoding = contentEncoding(headers['content-encoding']);
  return {
    ...Object.fromEntries([...kept, ...own]),
    ...(encoding === '' ? {} : { 'content-encoding': encoding }),
    ...storageClassHeader(headers[STORAGE_CLASS]),
  };
}

/** `aws-chunked` is how the body travelled, not what the object is. */
function contentEncoding(header = ''): string {
  return header
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '' && part !== 'aws-chunked')
    .join(',');
}

/** The encryption headers of an object, which an answer to its upload repeats. */
export function encryptionHeaders(kept: Headers): Headers {
  return Object.fromEntries(Object.entries(kept).filter(([name]) => name.startsWith('x-amz-server-side-encryption')));
}

/** `response-content-type` and the like in a GET's query, as the headers they replace. */
export function responseOverrides(query: URLSearchParams): Headers {
  const entries = [...query].filter(([name]) => name.startsWith('response-'));
  if (entries.some(([, value]) => /[^\x20-\x7e]/.test(value)))
    throw invalidRequest('A response header holds a character it may not');
  return Object.fromEntries(entries.map(([name, value]) => [name.slice('response-'.length), value]));
}
