import { createHash, createHmac } from 'node:crypto';
import { connect } from 'node:net';

/** A request to be signed by hand, so that it can be wrong in ways an SDK never is. */
export interface HandSigned {
  readonly url: string;
  readonly method: string;
  /** As it goes over the wire, query included; its query is sorted and encoded by the caller. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** What `x-amz-content-sha256` says; the body's own digest when left out. */
  readonly payload?: string;
  /** Sent, but no part of the signature. */
  readonly unsigned?: Readonly<Record<string, string>>;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region?: string;
  /** `s3` when left out. */
  readonly service?: string;
  /** Unix time, ms; now when left out. */
  readonly atMs?: number;
}

/** An answer, whole. */
export interface RawAnswer {
  readonly status: number;
  readonly text: string;
  /** S3's error code in the body, or the empty string. */
  readonly code: string;
}

/** Signs after AWS's description (Signature Version 4) and sends it over a socket of its own; nothing is normalised. */
export async function sendHandSigned(request: HandSigned): Promise<RawAnswer> {
  const body = Buffer.from(request.body ?? '');
  const { host } = new URL(request.url);
  const headers = { ...signedHeaders(request, host, body), ...request.unsigned };
  const lines = Object.entries({ 'content-length': String(body.length), ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  const head = [`${request.method} ${request.path} HTTP/1.1`, ...lines, 'connection: close', '', ''].join('\r\n');
  return exchange(host, Buffer.concat([Buffer.from(head), body]));
}

function signedHeaders(request: HandSigned, host: string, body: Buffer): Record<string, string> {
  const date = new Date(request.atMs ?? Date.now()).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const payload = request.payload ?? sha256(body);
  const headers: Record<string, string> = {
    ...request.headers,
    host,
    'x-amz-date': date,
    'x-amz-content-sha256': payload,
  };
  const names = Object.keys(headers).sort();
  const [path = '', query = ''] = request.path.split('?');
  const canonical = [
    request.method,
    path,
    query,
    ...names.map((name) => `${name}:${headers[name]}`),
    '',
    names.join(';'),
    payload,
  ];
  const scope = [date.slice(0, 8), request.region ?? 'us-east-1', request.service ?? 's3', 'aws4_request'];
  const text = ['AWS4-HMAC-SHA256', date, scope.join('/'), sha256(canonical.join('\n'))].join('\n');
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${request.secretAccessKey}`);
  const credential = `Credential=${request.accessKeyId}/${scope.join('/')}`;
  const signature = `Signature=${hmac(key, text).toString('hex')}`;
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names.join(';')}, ${signature}`,
  };
}

async function exchange(host: string, bytes: Buffer): Promise<RawAnswer> {
  const [address, port] = host.split(':');
  const socket = connect(Number(port), address);
  socket.write(bytes);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return { status: Number(text.split(' ')[1]), text, code: /<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? '' };
}

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
