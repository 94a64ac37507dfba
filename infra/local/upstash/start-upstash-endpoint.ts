/**
 * A subset of Upstash's REST API in front of a Redis, on the loopback only: for development, tests and the local stack.
 *
 * | request                                        | does                                                        |
 * |------------------------------------------------|-------------------------------------------------------------|
 * | `POST /` `["SET","k","v"]`                     | one command                                                 |
 * | `POST /pipeline` `[[…],[…]]`                   | several; not atomic; an error stays in its place            |
 * | `POST /multi-exec` `[[…],[…]]`                 | the same as one transaction                                 |
 * | `GET, POST, PUT, HEAD /set/k/v?EX=10`          | one command from the path; the body is one more argument    |
 * | header `Authorization: Bearer`, query `_token` | 401 without the right token                                 |
 * | header `Upstash-Encoding: base64`              | strings of the answer in base64                             |
 * | header `Upstash-Sync-Token` of the answer      | a new one each time; one Redis always reads its own writes  |
 *
 * Which commands: command-rules.ts. Errors are `{"error":"…"}`: 400 malformed, refused, or an error reply; 401; 405;
 * 413 beyond 10 MB; 503 `UNAVAILABLE …` Redis is not connected and nothing was sent; 500 the reply was lost; 501 for what
 * Upstash has and this has not (`/subscribe`, `/psubscribe`, `/monitor`, `Upstash-Response-Format: resp2`).
 */
import { createServer, type Server } from 'node:http';
import { createAuthorisation } from './authorisation.ts';
import { connectRedis } from './redis-link.ts';
import { createRequestListener } from './request-listener.ts';

const HOST = '127.0.0.1';
/** Longer than a client keeps an idle connection, so that none is closed under a request. */
const KEEP_ALIVE_MS = 75_000;
const REQUEST_TIMEOUT_MS = 30_000;

export interface UpstashEndpointOptions {
  readonly redisUrl: string;
  /** What clients must send. */
  readonly token: string;
  /** 0 or absent: a free one. */
  readonly port?: number;
}

export interface RunningUpstashEndpoint {
  readonly url: string;
  readonly port: number;
  /** Closes every connection. May be called again. */
  stop(): Promise<void>;
}

/**
 * Starts the endpoint; also when Redis is down: it then answers 503 until Redis is back.
 * @throws {Error} the port is taken.
 */
export async function startUpstashEndpoint(options: UpstashEndpointOptions): Promise<RunningUpstashEndpoint> {
  const link = await connectRedis(options.redisUrl);
  const listener = createRequestListener({ link, authorise: createAuthorisation(options.token) });
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: REQUEST_TIMEOUT_MS }, listener);
  try {
    const port = await listen(server, options.port ?? 0);
    return { url: `http://${HOST}:${port}`, port, stop: () => close(server).finally(() => link.close()) };
  } catch (error) {
    link.close();
    throw error;
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
