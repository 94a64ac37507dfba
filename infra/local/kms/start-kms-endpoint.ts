import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listenOnLoopback } from '../aws/listen.ts';
import type { Credentials } from '../aws/signature.ts';
import { openKeyRing, readKeyRing } from './key-file.ts';
import { KmsError, unsupported } from './kms-error.ts';
import { readRequest } from './kms-request.ts';
import { type KmsReply, kmsOperations } from './operations.ts';
import { parseParameters } from './parameters.ts';

/** How to start it. */
export interface KmsEndpointOptions {
  /** Holds the keys; made when missing. */
  readonly dir: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** 0: a free one. */
  readonly port?: number;
  readonly region?: string;
  /** Of the key made at the first start. */
  readonly alias?: string;
}

/** A running endpoint. */
export interface KmsEndpoint {
  readonly url: string;
  readonly port: number;
  /** Cuts every connection; resolves when the port is free. */
  stop(): Promise<void>;
}

interface AnswerDeps {
  readonly dir: string;
  readonly credentials: Credentials;
  /** Unix time, ms. */
  readonly now: () => number;
}

export const DEFAULT_ALIAS = 'alias/riptide';
const CONTENT_TYPE = 'application/x-amz-json-1.1';

/**
 * Starts a subset of KMS on the loopback interface, for development and tests: four operations, and 501 for any other.
 * @throws when the directory cannot be used or the port is taken.
 */
export async function startKmsEndpoint(options: KmsEndpointOptions): Promise<KmsEndpoint> {
  const { dir, accessKeyId, secretAccessKey, port = 0, region = 'us-east-1', alias = DEFAULT_ALIAS } = options;
  const now = Date.now;
  await openKeyRing(dir, alias, now());
  const answer = createAnswer({ dir, credentials: { accessKeyId, secretAccessKey, region }, now });
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => void answer(request, response));
  return listenOnLoopback(server, port);
}

function createAnswer(deps: AnswerDeps) {
  return async (source: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.setHeader('x-amzn-requestid', randomUUID());
    try {
      send(response, 200, await run(source, deps));
    } catch (error) {
      sendError(response, error);
    }
  };
}

/** Who is it, what do they want, do it: in this order, so nothing is learned without a signature. */
async function run(source: IncomingMessage, { dir, credentials, now }: AnswerDeps): Promise<KmsReply> {
  const { operation, body } = await readRequest(source, credentials, now());
  const work = kmsOperations.get(operation);
  if (work === undefined) throw unsupported('This operation');
  const parameters = parseParameters(body);
  const ring = await readKeyRing(dir);
  // Not made anew: what was wrapped under the old keys would seem to be damaged.
  if (ring === null) throw new KmsError(500, 'KMSInternalException', 'The file of keys is gone');
  return work({ parameters, ring, region: credentials.region });
}

/** What is no KmsError is a bug: it answers 500 and is printed. */
function sendError(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  const known = error instanceof KmsError ? error : new KmsError(500, 'KMSInternalException', 'An internal error');
  if (!(error instanceof KmsError)) console.error('kms endpoint:', error);
  // A body that was not read to its end cannot be followed by another request.
  if (known.status === 413) response.setHeader('connection', 'close');
  send(response, known.status, { __type: known.type, message: known.message });
}

function send(response: ServerResponse, status: number, reply: KmsReply): void {
  const body = Buffer.from(JSON.stringify(reply));
  response.writeHead(status, { 'content-type': CONTENT_TYPE, 'content-length': body.length });
  response.end(body);
}
