import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

const HOST = '127.0.0.1';

/** Where an endpoint of the local stack listens. */
export interface Listening {
  readonly url: string;
  readonly port: number;
  /** Takes no more connections and ends those that are open. */
  stop(): Promise<void>;
}

/** Listens on the loopback interface only. @param port 0: a free one. @throws the port is taken. */
export async function listenOnLoopback(server: Server, port: number): Promise<Listening> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, HOST, () => resolve());
  });
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://${HOST}:${bound}`,
    port: bound,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
