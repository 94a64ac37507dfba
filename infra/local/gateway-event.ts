/**
 * Turns a request into the event an HTTP API sends to Lambda (payload format 2.0), byte for byte where it matters: the
 * path decoded once and not normalised, headers in lower case with duplicates joined, bodies as text or base64.
 */
import { isUtf8 } from 'node:buffer';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { checkHeaderBytes, fitsPayload, MAX_PAYLOAD_BYTES } from './gateway-limits.ts';
import { GatewayError } from './gateway-problem.ts';
import { appendValue } from './gateway-record.ts';
import type { RouteMatch, RoutePattern } from './gateway-route.ts';
import { decodeQuery, decodeTarget } from './gateway-target.ts';

/** A request as it came off the wire. */
export interface GatewayRequest {
  readonly method: string;
  /** The request target: path and query, still encoded. */
  readonly target: string;
  /** Names and values in turn, as `http.IncomingMessage.rawHeaders`. */
  readonly rawHeaders: readonly string[];
  /** `HTTP/1.1` */
  readonly protocol: string;
  readonly sourceIp: string;
  readonly port: number;
  readonly body: Buffer | undefined;
  readonly requestId: string;
  /** Unix time, ms. */
  readonly nowMs: number;
}

/**
 * The event for a request, and the route it takes.
 * @returns undefined when no route matches and there is no `$default`.
 * @throws {GatewayError} 400 the target cannot be decoded; 413, 431 it is larger than the gateway takes.
 */
export function toGatewayEvent<R extends RoutePattern>(
  request: GatewayRequest,
  match: (method: string, path: string) => RouteMatch<R> | undefined,
): { readonly route: R; readonly event: APIGatewayProxyEventV2 } | undefined {
  checkHeaderBytes(request.target, request.rawHeaders);
  const { path, query } = decodeTarget(request.target);
  const found = match(request.method, path);
  if (found === undefined) return undefined;

  const event = createEvent({ request, found, path, query });
  if (!fitsPayload(event, event.body)) {
    throw new GatewayError(
      413,
      'body_too_large',
      `The request may take ${MAX_PAYLOAD_BYTES} bytes as an event, base64 counted`,
    );
  }
  return { route: found.route, event };
}

function createEvent(parts: {
  readonly request: GatewayRequest;
  readonly found: RouteMatch<RoutePattern>;
  readonly path: string;
  readonly query: string;
}): APIGatewayProxyEventV2 {
  const { request, found, path, query } = parts;
  const { headers, cookies } = collectHeaders(request);
  const event: APIGatewayProxyEventV2 = {
    version: '2.0',
    routeKey: found.routeKey,
    rawPath: path,
    rawQueryString: query,
    headers,
    requestContext: createRequestContext({ request, found, path, headers }),
    isBase64Encoded: false,
  };
  if (cookies !== undefined) event.cookies = cookies;
  if (query !== '') event.queryStringParameters = decodeQuery(query);
  if (found.pathParameters !== undefined) event.pathParameters = found.pathParameters;
  if (request.body !== undefined && request.body.length > 0) setBody(event, request.body);
  return event;
}

function createRequestContext(parts: {
  readonly request: GatewayRequest;
  readonly found: RouteMatch<RoutePattern>;
  readonly path: string;
  readonly headers: Record<string, string>;
}): APIGatewayProxyEventV2['requestContext'] {
  const { request, found, path, headers } = parts;
  return {
    accountId: '000000000000',
    apiId: 'local',
    domainName: headers.host ?? 'localhost',
    domainPrefix: 'local',
    http: {
      method: request.method,
      path,
      protocol: request.protocol,
      sourceIp: request.sourceIp,
      userAgent: headers['user-agent'] ?? '',
    },
    requestId: request.requestId,
    routeKey: found.routeKey,
    stage: '$default',
    time: logTime(request.nowMs),
    timeEpoch: request.nowMs,
  };
}

/** Headers of the connection, not of the request: no gateway hands them on. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
  'expect',
]);

function collectHeaders(request: GatewayRequest): { headers: Record<string, string>; cookies: string[] | undefined } {
  const { rawHeaders } = request;
  const headers: Record<string, string> = {};
  let cookies: string[] | undefined;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    const value = rawHeaders[index + 1] ?? '';
    if (HOP_BY_HOP.has(name)) continue;
    if (name === 'cookie') cookies = [...(cookies ?? []), ...value.split(';').map((cookie) => cookie.trim())];
    else appendValue(headers, name, value);
  }
  if (request.body !== undefined) headers['content-length'] ??= String(request.body.length);
  appendValue(headers, 'x-forwarded-for', request.sourceIp);
  headers['x-forwarded-port'] = String(request.port);
  headers['x-forwarded-proto'] = 'http';
  return { headers, cookies };
}

const TEXT_TYPE = /^\s*(?:text\/|application\/(?:[\w.-]+\+)?(?:json|xml)\s*(?:;|$)|application\/javascript\s*(?:;|$))/i;

/** Text types travel as text, unless that would change their bytes; all else as base64. */
function setBody(event: APIGatewayProxyEventV2, body: Buffer): void {
  const isText =
    TEXT_TYPE.test(event.headers['content-type'] ?? '') &&
    event.headers['content-encoding'] === undefined &&
    isUtf8(body);
  event.body = body.toString(isText ? 'utf8' : 'base64');
  event.isBase64Encoded = !isText;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
let written = { second: -1, text: '' };

/** `12/Mar/2026:19:03:58 +0000`; written once a second. */
function logTime(nowMs: number): string {
  const second = Math.floor(nowMs / 1000);
  if (second !== written.second) {
    const iso = new Date(nowMs).toISOString();
    const month = MONTHS[Number(iso.slice(5, 7)) - 1];
    written = { second, text: `${iso.slice(8, 10)}/${month}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000` };
  }
  return written.text;
}
