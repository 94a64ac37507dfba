/** A receiver of webhooks on this machine, which answers as a test wants it to. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll } from 'vitest';

export interface ReceivedMessage {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A status; or no answer; or an answer whose body has no end; or a connection that is cut. */
export type Answer = number | 'hang' | 'endless' | 'cut';

export interface WebhookReceiver {
  /** Of a path of the test's own. */
  url(path: string): string;
  /** What a path answers from now on; 204 when nothing was said. */
  answer(path: string, ...answers: readonly Answer[]): void;
  received(path: string): readonly ReceivedMessage[];
}

const closing: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(closing.map((close) => close())));

/** Closed when the test file ends. Each answer of a path is given once, the last one for ever. */
export async function webhookReceiver(): Promise<WebhookReceiver> {
  const answers = new Map<string, Answer[]>();
  const messages: ReceivedMessage[] = [];
  const server = createServer(async (request, response) => {
    const path = request.url ?? '';
    const chunks = await request.toArray();
    messages.push({ path, headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
    const left = answers.get(path) ?? [204];
    reply(response, (left.length > 1 ? left.shift() : left[0]) ?? 204);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  closing.push(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  return {
    url: (path) => `http://127.0.0.1:${port}${path}`,
    answer: (path, ...next) => void answers.set(path, [...next]),
    received: (path) => messages.filter((message) => message.path === path),
  };
}

function reply(response: ServerResponse, answer: Answer): void {
  if (answer === 'hang') return;
  if (answer === 'cut') return void response.destroy();
  if (answer === 'endless') {
    response.writeHead(200);
    response.on('drain', () => response.write('x'.repeat(65_536)));
    response.write('x'.repeat(65_536));
    return;
  }
  const redirect = answer >= 300 && answer < 400 ? { location: '/redirected' } : {};
  response.writeHead(answer, redirect).end();
}
