/** HTTP in, HTTP out: authorisation, method, and the status of every outcome. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { AppError, RedisReplyError, RedisUnavailableError } from '../../../lib/errors.ts';
import type { Authorise } from './authorisation.ts';
import type { RedisLink } from './redis-link.ts';
import { errorJson } from './reply-encoding.ts';
import { readBody } from './request-body.ts';
import { runRequest } from './run-request.ts';

const NO_QUERY = new URLSearchParams();
const WITH_BODY = new Set(['POST', 'PUT']);
const PATH_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT']);
const JSON_PATHS = new Set(['/', '/pipeline', '/multi-exec']);
const STREAM_PATH = /^\/(subscribe|psubscribe|monitor)(\/|$)/i;

interface ListenerDeps {
  readonly link: RedisLink;
  readonly authorise: Authorise;
}

type Answer = { readonly status: number; readonly json: string };

/** A listener for `node:http`. It answers every request, whatever comes. */
export function createRequestListener(deps: ListenerDeps): RequestListener {
  const nextSyncToken = createSyncTokens();
  return (request, response) => {
    answer(deps, request)
      .catch(failure)
      .then((outcome) => send(response, outcome, nextSyncToken()));
  };
}

async function answer({ link, authorise }: ListenerDeps, request: IncomingMessage): Promise<Answer> {
  const { path, query } = splitUrl(request.url ?? '/');
  const { headers } = request;
  if (!authorise(headers.authorization, query.get('_token'))) {
    return failed(401, 'WRONGPASS invalid or missing auth token');
  }
  const refused = refusedRequest(request, path);
  if (refused !== null) return refused;
  const encoding = headers['upstash-encoding'] === 'base64' ? 'base64' : 'plain';
  const body = await readBody(request);
  return { status: 200, json: await runRequest(link, { path, query, body, encoding }) };
}

function refusedRequest(request: IncomingMessage, path: string): Answer | null {
  const methods = JSON_PATHS.has(path) ? WITH_BODY : PATH_METHODS;
  if (!methods.has(request.method ?? '')) return failed(405, 'ERR method not allowed');
  if (STREAM_PATH.test(path)) return failed(501, 'ERR this local endpoint has no subscriptions');
  if (request.headers['upstash-response-format'] !== undefined) {
    return failed(501, 'ERR this local endpoint answers JSON only');
  }
  return null;
}

function splitUrl(url: string): { path: string; query: URLSearchParams } {
  const mark = url.indexOf('?');
  if (mark < 0) return { path: url, query: NO_QUERY };
  return { path: url.slice(0, mark), query: new URLSearchParams(url.slice(mark + 1)) };
}

/** The lost reply has no code word in front: a client must not take it for an error reply, which changes nothing. */
function failure(error: unknown): Answer {
  if (error instanceof RedisReplyError) return failed(400, error.message);
  if (error instanceof RedisUnavailableError) return failed(503, error.message);
  if (error instanceof AppError && error.status === 413) return failed(413, error.message);
  return failed(500, error instanceof AppError ? error.message : 'The endpoint failed: the outcome is unknown');
}

function failed(status: number, message: string): Answer {
  return { status, json: errorJson(message) };
}

function send(response: ServerResponse, { status, json }: Answer, syncToken: string): void {
  response.sendDate = false;
  response.writeHead(status, [
    'content-type',
    'application/json',
    'content-length',
    String(Buffer.byteLength(json)),
    'upstash-sync-token',
    syncToken,
  ]);
  response.end(response.req.method === 'HEAD' ? undefined : json);
}

function createSyncTokens(): () => string {
  const start = randomBytes(6).toString('hex');
  let sequence = 0;
  return () => `${start}=${++sequence}`;
}
