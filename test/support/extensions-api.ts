/** Lambda's Runtime API as far as a process registers there for signals and says that it is ready. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

const ID = '0f4a1c9e-extension-of-the-tests';
const VERSION = '/2020-01-01/extension';

export interface ExtensionsApi {
  /** As AWS_LAMBDA_RUNTIME_API has it. */
  readonly address: string;
  /** What was asked for, in order: `register`, `next`, and `ready` of the runtime. */
  readonly asked: readonly string[];
}

/** @param refuses every registration, as after the start of a function. */
export async function extensionsApi({ refuses = false } = {}): Promise<ExtensionsApi> {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const { url = '', headers } = request;
    if (url === `${VERSION}/register`) {
      const isWell = headers['lambda-extension-name'] !== undefined && (await bodyOf(request)) === '{"events":[]}';
      asked.push(isWell ? 'register' : 'register, not as it must be');
      response.writeHead(refuses ? 403 : 200, refuses ? {} : { 'Lambda-Extension-Identifier': ID });
      response.end('{}');
      return;
    }
    // Of an extension without events it is never answered.
    if (url === `${VERSION}/event/next`) {
      asked.push(headers['lambda-extension-identifier'] === ID ? 'next' : 'next, of somebody else');
      return;
    }
    asked.push('ready');
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}
