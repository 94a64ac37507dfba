import type { IncomingMessage } from 'node:http';
import { S3Error } from './s3-error.ts';

/** A request taken apart, before anything about it is believed. */
export interface S3Request {
  readonly method: string;
  /** Decoded; begins with `/`. */
  readonly path: string;
  /** Empty for the service itself. */
  readonly bucket: string;
  /** Empty for the bucket itself. Any text: it names no file here. */
  readonly key: string;
  readonly query: URLSearchParams;
  /** Lower case. A presigned URL carries `x-amz-*` in its query; they count as headers. */
  readonly headers: Readonly<Record<string, string>>;
  readonly source: IncomingMessage;
}

const MAX_KEY_BYTES = 1024;

/** Takes a request apart. @throws {S3Error} InvalidURI, KeyTooLongError. */
export function parseRequest(source: IncomingMessage): S3Request {
  const target = source.url ?? '';
  if (!target.startsWith('/')) throw new S3Error(400, 'InvalidURI', "Couldn't parse the specified URI.");
  const cut = target.indexOf('?');
  const path = decodePath(cut < 0 ? target : target.slice(0, cut));
  const query = new URLSearchParams(cut < 0 ? '' : target.slice(cut + 1));
  const slash = path.indexOf('/', 1);
  const key = slash < 0 ? '' : path.slice(slash + 1);
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw new S3Error(400, 'KeyTooLongError', 'Your key is too long');
  return {
    method: source.method ?? '',
    path,
    bucket: slash < 0 ? path.slice(1) : path.slice(1, slash),
    key,
    query,
    headers: { ...amzParameters(query), ...plainHeaders(source) },
    source,
  };
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new S3Error(400, 'InvalidURI', "Couldn't parse the specified URI.");
  }
}

function plainHeaders(source: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(source.headersDistinct).map(([name, values]) => [name, (values ?? []).join(',')]),
  );
}

function amzParameters(query: URLSearchParams): Record<string, string> {
  return Object.fromEntries([...query].filter(([name]) => name.startsWith('x-amz-')));
}
