/** An HTTP client with one connection, as a caller under load has one. */
import { Agent, request } from 'node:http';

export interface KeepAliveClient {
  /** @returns the status, once the whole answer has come. @throws {Error} the connection failed. */
  send(call: {
    readonly method: string;
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string | Buffer;
  }): Promise<number>;
  close(): void;
}

/** @param url of the service. */
export function keepAliveClient(url: string): KeepAliveClient {
  const { hostname, port } = new URL(url);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    send: ({ body, ...call }) =>
      new Promise((resolve, reject) => {
        const sent = request({ ...call, agent, hostname, port }, (reply) => {
          reply.resume();
          reply.once('end', () => resolve(reply.statusCode ?? 0));
          reply.once('error', reject);
        });
        sent.once('error', reject);
        sent.end(body);
      }),
    close: () => agent.destroy(),
  };
}
