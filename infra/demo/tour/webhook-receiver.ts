/** A receiver of webhooks on this machine: takes every message and keeps it. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Message {
  readonly headers: Readonly<Record<string, string>>;
  /** As it came: what was signed. */
  readonly body: string;
}

export async function startWebhookReceiver() {
  const messages: Message[] = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString('utf8');
    messages.push({ headers: request.headers as Record<string, string>, body });
    response.writeHead(204).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/alerts`,
    messages: (): readonly Message[] => messages,
    async stop(): Promise<void> {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
