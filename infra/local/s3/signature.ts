import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { S3Error } from './s3-error.ts';
import type { S3Request } from './s3-request.ts';

/** The one key pair this endpoint knows. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

/** What a request says about its own signature, from its header or its query. */
interface Claim {
  readonly accessKeyId: string;
  readonly scope: { readonly day: string; readonly region: string; readonly service: string };
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `20250131T235959Z`, as signed. */
  readonly date: string;
  /** Null: signed by header, good for the clock skew only. */
  readonly expiresMs: number | null;
  /** As signed: a SHA-256 in hex, or one of S3's words. */
  readonly payload: string;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const MAX_SKEW_MS = 15 * 60_000;
const MAX_EXPIRY_SECONDS = 604_800;

/**
 * Checks the request's signature (AWS Signature Version 4, header or presigned URL), its date and its scope.
 * @param nowMs Unix time, ms.
 * @returns what the signature says about the body: its SHA-256 in hex, or a word such as `UNSIGNED-PAYLOAD`.
 * @throws {S3Error} 403, or 400 for a claim that cannot be read.
 */
export function verifySignature(request: S3Request, credentials: Credentials, nowMs: number): string {
  const claim = request.query.has('X-Amz-Signature') ? claimOfQuery(request) : claimOfHeader(request);
  if (claim.accessKeyId !== credentials.accessKeyId) {
    throw new S3Error(403, 'InvalidAccessKeyId', 'The access key id you provided does not exist in our records.');
  }
  checkScope(claim, credentials.region);
  checkTime(claim, nowMs);
  checkSignedHeaders(request, claim);
  const expected = sign(request, claim, credentials.secretAccessKey);
  if (!timingSafeEqual(expected, Buffer.from(claim.signature, 'hex'))) {
    throw new S3Error(
      403,
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the one you provided.',
    );
  }
  return claim.payload;
}

function claimOfHeader({ headers }: S3Request): Claim {
  const pattern = /^AWS4-HMAC-SHA256 Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})$/;
  const match = pattern.exec(headers.authorization ?? '');
  if (match === null) throw denied('Access Denied');
  const [, credential = '', signedHeaders = '', signature = ''] = match;
  const payload = headers['x-amz-content-sha256'];
  if (payload === undefined)
    throw new S3Error(400, 'MissingSecurityHeader', 'Your request was missing x-amz-content-sha256.');
  const date = headers['x-amz-date'] ?? '';
  return {
    ...readCredential(credential),
    signedHeaders: signedHeaders.split(';'),
    signature,
    date,
    expiresMs: null,
    payload,
  };
}

function claimOfQuery({ query }: S3Request): Claim {
  const value = (name: string) => query.get(name) ?? '';
  const signature = value('X-Amz-Signature');
  const seconds = Number(value('X-Amz-Expires'));
  const readable = value('X-Amz-Algorithm') === ALGORITHM && /^[0-9a-f]{64}$/.test(signature);
  if (!readable || !Number.isInteger(seconds) || seconds < 1 || seconds > MAX_EXPIRY_SECONDS) {
    throw new S3Error(
      400,
      'AuthorizationQueryParametersError',
      'The query parameters of the signature cannot be used.',
    );
  }
  return {
    ...readCredential(value('X-Amz-Credential')),
    signedHeaders: value('X-Amz-SignedHeaders').split(';'),
    signature,
    date: value('X-Amz-Date'),
    expiresMs: seconds * 1000,
    payload: query.get('X-Amz-Content-Sha256') ?? 'UNSIGNED-PAYLOAD',
  };
}

function readCredential(credential: string): Pick<Claim, 'accessKeyId' | 'scope'> {
  const [accessKeyId = '', day = '', region = '', service = '', end] = credential.split('/');
  if (end !== 'aws4_request')
    throw new S3Error(400, 'AuthorizationHeaderMalformed', 'The credential scope cannot be read.');
  return { accessKeyId, scope: { day, region, service } };
}

function checkScope({ scope, date }: Claim, region: string): void {
  if (scope.service === 's3' && scope.region === region && date.startsWith(`${scope.day}T`)) return;
  throw new S3Error(
    400,
    'AuthorizationHeaderMalformed',
    `The scope must be of service s3, region ${region} and the request's day.`,
  );
}

function checkTime({ date, expiresMs }: Claim, nowMs: number): void {
  const signedAtMs = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (Number.isNaN(signedAtMs)) throw denied('The date of the signature cannot be read.');
  const ageMs = nowMs - signedAtMs;
  if (expiresMs !== null && ageMs > expiresMs) throw denied('Request has expired');
  if (-ageMs > MAX_SKEW_MS || (expiresMs === null && ageMs > MAX_SKEW_MS)) {
    throw new S3Error(
      403,
      'RequestTimeTooSkewed',
      'The difference between the request time and the current time is too large.',
    );
  }
}

/** Whoever relays a request must not add to it: `host` and each `x-amz-*` header take part in the signature. */
function checkSignedHeaders({ source }: S3Request, { signedHeaders }: Claim): void {
  const needed = Object.keys(source.headers).filter((name) => name === 'host' || name.startsWith('x-amz-'));
  if (!needed.includes('host') || needed.some((name) => !signedHeaders.includes(name))) {
    throw denied('There were headers present in the request which were not signed');
  }
}

function sign(request: S3Request, claim: Claim, secretAccessKey: string): Buffer {
  const { day, region, service } = claim.scope;
  const text = [
    ALGORITHM,
    claim.date,
    `${day}/${region}/${service}/aws4_request`,
    sha256(canonicalRequest(request, claim)),
  ];
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
  return hmac(key, text.join('\n'));
}

function canonicalRequest(request: S3Request, { signedHeaders, payload }: Claim): string {
  const headerLine = (name: string) => {
    const values = request.source.headersDistinct[name] ?? [];
    return `${name}:${values.map((value) => value.trim().replace(/ +/g, ' ')).join(',')}`;
  };
  return [
    request.method,
    uriEncode(request.path).replaceAll('%2F', '/'),
    canonicalQuery(request.query),
    ...signedHeaders.map(headerLine),
    '',
    signedHeaders.join(';'),
    payload,
  ].join('\n');
}

function canonicalQuery(query: URLSearchParams): string {
  return [...query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [uriEncode(name), uriEncode(value)] as const)
    .sort(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB))
    .map((pair) => pair.join('='))
    .join('&');
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const denied = (message: string) => new S3Error(403, 'AccessDenied', message);

/** Percent-encoding as signatures and `encoding-type=url` want it: all but `A-Z a-z 0-9 - _ . ~`. */
export function uriEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
