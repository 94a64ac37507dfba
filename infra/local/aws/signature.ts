/** AWS Signature Version 4, as the local endpoints check it. Each of them answers a fault in the words of its own API. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** The one key pair an endpoint knows. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

/** A request as far as its signature covers it. */
export interface SignedRequest {
  readonly method: string;
  /** Decoded; begins with `/`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly source: IncomingMessage;
}

export interface Verification {
  readonly credentials: Credentials;
  /** As in the scope: `s3`, `kms`. */
  readonly service: string;
  /** Unix time, ms. */
  readonly nowMs: number;
  /** Of the body that was read, in hex, for a request that does not say it itself. */
  readonly bodySha256?: string;
}

/** What is wrong with a signature. */
export type SignatureFault =
  | 'missing'
  | 'malformed'
  | 'unknown-key'
  | 'other-scope'
  | 'bad-date'
  | 'skewed'
  | 'expired'
  | 'unsigned-header'
  | 'no-digest'
  | 'bad-query'
  | 'mismatch';

/** The request is not signed as it must be. */
export class SignatureError extends Error {
  readonly fault: SignatureFault;

  constructor(fault: SignatureFault, message: string) {
    super(message);
    this.name = 'SignatureError';
    this.fault = fault;
  }
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
 * Checks the request's signature (header or presigned URL), its date and its scope.
 * @returns what the signature says about the body: its SHA-256 in hex, or a word such as `UNSIGNED-PAYLOAD`.
 * @throws {SignatureError}
 */
export function verifySignature(request: SignedRequest, expected: Verification): string {
  const { credentials, nowMs } = expected;
  const claim = request.query.has('X-Amz-Signature') ? claimOfQuery(request) : claimOfHeader(request, expected);
  if (claim.accessKeyId !== credentials.accessKeyId) {
    throw new SignatureError('unknown-key', 'The access key id you provided does not exist in our records.');
  }
  checkScope(claim, expected);
  checkTime(claim, nowMs);
  checkSignedHeaders(request, claim);
  const signature = sign(request, claim, credentials.secretAccessKey);
  if (!timingSafeEqual(signature, Buffer.from(claim.signature, 'hex'))) {
    throw new SignatureError('mismatch', 'The request signature we calculated does not match the one you provided.');
  }
  return claim.payload;
}

function claimOfHeader({ headers }: SignedRequest, { bodySha256 }: Verification): Claim {
  const pattern = /^AWS4-HMAC-SHA256 Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})$/;
  const match = pattern.exec(headers.authorization ?? '');
  if (match === null) throw new SignatureError('missing', 'Access Denied');
  const [, credential = '', signedHeaders = '', signature = ''] = match;
  const payload = headers['x-amz-content-sha256'] ?? bodySha256;
  if (payload === undefined) throw new SignatureError('no-digest', 'Your request was missing x-amz-content-sha256.');
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

function claimOfQuery({ query }: SignedRequest): Claim {
  const value = (name: string) => query.get(name) ?? '';
  const signature = value('X-Amz-Signature');
  const seconds = Number(value('X-Amz-Expires'));
  const readable = value('X-Amz-Algorithm') === ALGORITHM && /^[0-9a-f]{64}$/.test(signature);
  if (!readable || !Number.isInteger(seconds) || seconds < 1 || seconds > MAX_EXPIRY_SECONDS) {
    throw new SignatureError('bad-query', 'The query parameters of the signature cannot be used.');
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
  if (end !== 'aws4_request') throw new SignatureError('malformed', 'The credential scope cannot be read.');
  return { accessKeyId, scope: { day, region, service } };
}

function checkScope({ scope, date }: Claim, { service, credentials: { region } }: Verification): void {
  if (scope.service === service && scope.region === region && date.startsWith(`${scope.day}T`)) return;
  throw new SignatureError(
    'other-scope',
    `The scope must be of service ${service}, region ${region} and the request's day.`,
  );
}

function checkTime({ date, expiresMs }: Claim, nowMs: number): void {
  const signedAtMs = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (Number.isNaN(signedAtMs)) throw new SignatureError('bad-date', 'The date of the signature cannot be read.');
  const ageMs = nowMs - signedAtMs;
  if (expiresMs !== null && ageMs > expiresMs) throw new SignatureError('expired', 'Request has expired');
  if (-ageMs > MAX_SKEW_MS || (expiresMs === null && ageMs > MAX_SKEW_MS)) {
    throw new SignatureError('skewed', 'The difference between the request time and the current time is too large.');
  }
}

/** Whoever relays a request must not add to it: `host` and each `x-amz-*` header take part in the signature. */
function checkSignedHeaders({ source }: SignedRequest, { signedHeaders }: Claim): void {
  const needed = Object.keys(source.headers).filter((name) => name === 'host' || name.startsWith('x-amz-'));
  if (!needed.includes('host') || needed.some((name) => !signedHeaders.includes(name))) {
    throw new SignatureError('unsigned-header', 'There were headers present in the request which were not signed');
  }
}

function sign(request: SignedRequest, claim: Claim, secretAccessKey: string): Buffer {
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

function canonicalRequest(request: SignedRequest, { signedHeaders, payload }: Claim): string {
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

/** Percent-encoding as signatures and `encoding-type=url` want it: all but `A-Z a-z 0-9 - _ . ~`. */
export function uriEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
