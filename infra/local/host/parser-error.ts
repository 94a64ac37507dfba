/** Answers what Node's HTTP parser refuses: there is no request then, only a socket. */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { GatewayError, toProblemReply } from '../gateway-problem.ts';

/** Writes a problem to the socket and closes it. */
export function answerParserError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, headers, body } = toProblemReply(toGatewayError(error.code), randomUUID());
  const lines = Object.entries({ ...headers, connection: 'close', 'content-length': Buffer.byteLength(body) });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.end(
    `HTTP/1.1 ${status} ${status === 431 ? 'Request Header Fields Too Large' : 'Bad Request'}\r\n${head}\r\n${body}`,
  );
}

function toGatewayError(code: string | undefined): GatewayError {
  if (code === 'HPE_HEADER_OVERFLOW') return new GatewayError(431, 'headers_too_large', 'The headers are too large');
  return new GatewayError(400, 'invalid_request', 'This is not an HTTP request');
}
