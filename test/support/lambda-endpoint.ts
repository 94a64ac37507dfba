/** An endpoint that speaks the Invoke call of the Lambda API, signatures checked, and answers as a test wants it to. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import { listenOnLoopback } from '../../infra/local/aws/listen.ts';
import { type Credentials, SignatureError, verifySignature } from '../../infra/local/aws/signature.ts';

export interface Invocation {
  readonly functionName: string;
  /** `Event`: nobody waits for the result. */
  readonly type: string;
  readonly body: string;
}

/** An HTTP status; or no answer; or a connection that is cut. */
export type LambdaAnswer = number | 'hang' | 'cut';

export interface LambdaEndpoint {
  readonly url: string;
  /** Of requests that were signed as they must be and name a function there is. */
  readonly invocations: readonly Invocation[];
  /** How many requests came, refused ones among them. */
  requests(): number;
  /** What the next requests are answered, one each; then as Lambda does. */
  answer(...answers: readonly LambdaAnswer[]): void;
}

const PATH = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;

/** Knows the functions of these names only. Ends with the test. */
export async function lambdaEndpoint(credentials: Credentials, ...names: readonly string[]): Promise<LambdaEndpoint> {
  const invocations: Invocation[] = [];
  const answers: LambdaAnswer[] = [];
  let requests = 0;

  const handle = async (source: IncomingMessage, response: ServerResponse): Promise<void> => {
    requests++;
    const body = Buffer.concat(await source.toArray());
    const refusal = refusalOf(source, body, credentials);
    if (refusal !== null) return fail(response, 403, refusal);
    const next = answers.shift();
    if (next === 'hang') return;
    if (next === 'cut') return void response.destroy();
    if (next !== undefined) return fail(response, next, next === 429 ? 'TooManyRequestsException' : 'ServiceException');
    const [, functionName = ''] = PATH.exec(source.url ?? '') ?? [];
    if (source.method !== 'POST' || !names.includes(functionName))
      return fail(response, 404, 'ResourceNotFoundException');
    const type = String(source.headers['x-amz-invocation-type'] ?? 'RequestResponse');
    invocations.push({ functionName, type, body: body.toString('utf8') });
    response.writeHead(type === 'Event' ? 202 : 200, { 'x-amzn-requestid': 'of-the-test' }).end();
  };

  const server = createServer((source, response) => void handle(source, response));
  const { url, stop } = await listenOnLoopback(server, 0);
  onTestFinished(stop);
  return { url, invocations, requests: () => requests, answer: (...next) => void answers.push(...next) };
}

/** The name of the error; null: it is signed as it must be, over this body. */
function refusalOf(source: IncomingMessage, body: Buffer, credentials: Credentials): string | null {
  const bodySha256 = createHash('sha256').update(body).digest('hex');
  const { pathname, searchParams } = new URL(source.url ?? '/', 'http://local');
  const headers = Object.fromEntries(
    Object.entries(source.headersDistinct).map(([name, values]) => [name, (values ?? []).join(',')]),
  );
  const request = { method: source.method ?? '', path: pathname, query: searchParams, headers, source };
  try {
    const signed = verifySignature(request, { credentials, service: 'lambda', nowMs: Date.now(), bodySha256 });
    return signed === bodySha256 ? null : 'InvalidSignatureException';
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    return error.fault === 'unknown-key' ? 'UnrecognizedClientException' : 'InvalidSignatureException';
  }
}

function fail(response: ServerResponse, status: number, type: string): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': type });
  response.end(JSON.stringify({ Type: 'User', Message: 'refused by the test' }));
}
