/**
 * The HTTP host: API Gateway's part of the local stack. Each request becomes an HTTP API v2 event for the function that
 * serverless.yml routes it to, and its result the answer. Fastify carries it; decoding and routing are the gateway's own,
 * because a web framework's differ (normalised paths, rejected content types).
 */
import { randomUUID } from 'node:crypto';
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { type GatewayRequest, toGatewayEvent } from './gateway-event.ts';
import { MAX_BODY_BYTES, MAX_INTEGRATION_MS } from './gateway-limits.ts';
import { GatewayError, toProblemReply } from './gateway-problem.ts';
import { type GatewayReply, toGatewayReply } from './gateway-reply.ts';
import { createRouteTable } from './gateway-route.ts';
import { closeServer } from './host/close-server.ts';
import { createInvoker } from './host/invoke.ts';
import { answerParserError } from './host/parser-error.ts';
import { createUnderWay, type UnderWay } from './host/under-way.ts';
import { writeReply } from './host/write-reply.ts';
import type { RouteEntry } from './service-map.ts';

export interface HostOptions {
  readonly routes: readonly RouteEntry[];
  /** 0: a free one. */
  readonly port: number;
  /** Told what no caller may see: why a function failed. */
  readonly onError: (functionName: string, error: unknown) => void;
}

export interface Host {
  readonly url: string;
  readonly port: number;
  /**
   * Takes no more connections and requests, and lets those under way end until `signal` aborts, then closes.
   * @returns how many requests ended in time, and how many were cut off.
   */
  stop(signal: AbortSignal): Promise<{ readonly finished: number; readonly cut: number }>;
}

/**
 * Starts the host on 127.0.0.1 with every function loaded; one that cannot be loaded is told to `onError`, and its
 * route answers 500, as a broken Lambda's does.
 * @throws {Error} `EADDRINUSE`: the port is taken.
 */
export async function startHost({ routes, port, onError }: HostOptions): Promise<Host> {
  const table = createRouteTable(routes);
  const invokers = new Map(routes.map((route) => [route, createInvoker(route.function, MAX_INTEGRATION_MS)]));
  const underWay = createUnderWay();
  const app = createServer(underWay);

  async function answer(request: FastifyRequest, requestId: string): Promise<GatewayReply> {
    const found = toGatewayEvent(readRequest(request, requestId), table.match);
    const invoker = found && invokers.get(found.route);
    if (invoker === undefined) throw new GatewayError(404, 'route_not_found', 'No endpoint has this method and path');
    try {
      return toGatewayReply(await invoker.invoke(found?.event, requestId));
    } catch (error) {
      onError(found?.route.function.name ?? '', error);
      throw error;
    }
  }

  async function handle(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const requestId = randomUUID();
    reply.hijack();
    let outcome: GatewayReply;
    try {
      outcome = await answer(request, requestId);
    } catch (error) {
      outcome = toProblemReply(toGatewayError(error), requestId);
    }
    if (!underWay.isOpen()) reply.raw.setHeader('connection', 'close');
    writeReply(reply.raw, outcome, requestId);
  }

  app.all('/', handle);
  app.setNotFoundHandler(handle);
  app.setErrorHandler((error, request, reply) => refuse(request, reply, error));

  await loadAll();
  await app.listen({ host: '127.0.0.1', port });
  const address = app.server.address();
  const boundPort = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://127.0.0.1:${boundPort}`,
    port: boundPort,
    stop: (signal) => closeServer(app, underWay, signal),
  };

  async function loadAll(): Promise<void> {
    const loads = [...invokers].map(async ([route, invoker]) => {
      await invoker.load().catch((error: unknown) => onError(route.function.name, error));
    });
    await Promise.all(loads);
  }
}

function createServer(underWay: UnderWay) {
  const app = fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    // Twice the gateway's limit, so that what is just too large is told from what is broken.
    http: { maxHeaderSize: 32_768 },
    // Fastify's router sees one path only; `originalUrl` keeps what was sent.
    rewriteUrl: () => '/',
    clientErrorHandler: answerParserError,
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  // Whether a content type is a good one is for the function to say; without it Fastify asks nothing.
  app.addHook('onRequest', (request, reply, done) => {
    if (!underWay.isOpen()) return refuseStopping(reply);
    underWay.enter(reply.raw);
    delete request.raw.headers['content-type'];
    done();
  });
  return app;
}

function readRequest(request: FastifyRequest, requestId: string): GatewayRequest {
  const { raw } = request;
  return {
    method: request.method,
    target: request.originalUrl,
    rawHeaders: raw.rawHeaders,
    protocol: `HTTP/${raw.httpVersion}`,
    sourceIp: raw.socket.remoteAddress ?? '',
    port: raw.socket.localPort ?? 0,
    body: Buffer.isBuffer(request.body) ? request.body : undefined,
    requestId,
    nowMs: Date.now(),
  };
}

/** By then another instance may have taken its place. */
const RETRY_AFTER_MS = 1_000;
/** More than this of a refused body is not read to its end. */
const DRAIN_MAX_BYTES = 64 * 1024 * 1024;

/**
 * Fastify's own refusals: a body too large, or shorter than announced. Node reads the rest of the body away, so that a
 * caller that is still sending finds the answer and not a broken pipe.
 */
function refuse(request: FastifyRequest, reply: FastifyReply, error: unknown): void {
  const requestId = randomUUID();
  reply.hijack();
  const announced = Number(request.raw.headers['content-length']);
  if (!(announced <= DRAIN_MAX_BYTES)) reply.raw.setHeader('connection', 'close');
  writeReply(reply.raw, toProblemReply(toGatewayError(error), requestId), requestId);
}

/** Of a request that came on a connection there was. It was not begun: another instance may have it. */
function refuseStopping(reply: FastifyReply): void {
  const requestId = randomUUID();
  const error = new GatewayError(
    503,
    'shutting_down',
    'The service is being stopped; nothing was done',
    RETRY_AFTER_MS,
  );
  reply.hijack();
  reply.raw.setHeader('connection', 'close');
  writeReply(reply.raw, toProblemReply(error, requestId), requestId);
}

function toGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : 500;
  if (status === 413) return new GatewayError(413, 'body_too_large', `A body may take ${MAX_BODY_BYTES} bytes`);
  if (status === 400)
    return new GatewayError(400, 'invalid_request', 'The body did not arrive as its headers announce it');
  return new GatewayError(500, 'internal', 'The function failed');
}
