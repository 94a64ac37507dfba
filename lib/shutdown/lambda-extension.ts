/**
 * Registers the process with Lambda as an extension that wants no events: then it gets SIGTERM before it is ended, which it would
 * not otherwise. The build puts this before the function (infra/build/lambda-entry.ts); the program does not import it.
 *
 * Nothing waits for it and nothing fails with it. The request goes out while the function's own file is read; `node:net` is loaded
 * by the first request to Redis anyway, and `node:http` would take more time than all of it.
 */

const NAME = 'riptide-sigterm';
const VERSION = '/2020-01-01/extension';
const DEFAULT_PORT = 80;

/** @param api host and port, as Lambda names them in AWS_LAMBDA_RUNTIME_API. */
export function registerExtension(api: string): void {
  const [host = '', port] = api.split(':');
  const socket = process.getBuiltinModule('node:net').connect(Number(port ?? DEFAULT_PORT), host);
  // Without it there is no SIGTERM: as before.
  socket.on('error', () => {});
  const ask = (line: string, header: string, body = '') =>
    socket.write(`${line} HTTP/1.1\r\nHost: ${api}\r\n${header}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  let answer = '';
  const onData = (chunk: Buffer) => {
    answer += chunk.toString('latin1');
    const [, id] = /\r\nlambda-extension-identifier: *([\w-]+)\r\n/i.exec(answer) ?? [];
    if (id === undefined) return;
    socket.off('data', onData).resume();
    // Says that it is ready. For want of events this is never answered.
    ask(`GET ${VERSION}/event/next`, `Lambda-Extension-Identifier: ${id}`);
  };
  socket.on('data', onData).unref();
  ask(`POST ${VERSION}/register`, `Lambda-Extension-Name: ${NAME}\r\nContent-Type: application/json`, '{"events":[]}');
}
