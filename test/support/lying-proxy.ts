/** An HTTP proxy in front of a real service that changes what passes: for tests that something checks its answers. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface PassedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
}

export interface PassedReply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** Hands the request on, as it is or with other headers; may be called more than once. */
export type Forward = (headers?: Headers) => Promise<PassedReply>;
/** Gives the reply the caller gets. */
export type Lie = (request: PassedRequest, forward: Forward) => Promise<PassedReply>;

export interface LyingProxy {
  readonly url: string;
  stop(): Promise<void>;
}

export async function startLyingProxy(target: string, lie: Lie): Promise<LyingProxy> {
  // Longer than any test: a connection that is closed just when it is used again breaks a call that may not be repeated.
  const server = createServer({ keepAliveTimeout: 600_000 }, async (incoming, outgoing) => {
    const { method = 'GET', url: path = '/' } = incoming;
    const sent = passedHeaders(incoming);
    const body = await readAll(incoming);
    const forward: Forward = async (headers = sent) => {
      const reply = await fetch(target + path, { method, headers, ...(body.length > 0 ? { body } : {}) });
      return { status: reply.status, headers: reply.headers, body: Buffer.from(await reply.arrayBuffer()) };
    };
    const reply = await lie({ method, path, headers: sent }, forward);
    outgoing.writeHead(reply.status, Object.fromEntries(reply.headers)).end(reply.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Those of the connection are each connection's own. */
const OF_CONNECTION = new Set(['connection', 'host', 'keep-alive', 'transfer-encoding', 'content-length']);

function passedHeaders({ headers }: IncomingMessage): Headers {
  const passed = Object.entries(headers).filter(([name]) => !OF_CONNECTION.has(name));
  return new Headers(passed.map(([name, value]): [string, string] => [name, String(value)]));
}

async function readAll(incoming: IncomingMessage): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return Buffer.concat(chunks);
}
