/** Writes an answer as it is: no header is added to or changed in what a function said, but its length. */
import type { ServerResponse } from 'node:http';
import type { GatewayReply } from '../gateway-reply.ts';

/** Sends the whole reply. Text goes out in one write with its headers. */
export function writeReply(response: ServerResponse, reply: GatewayReply, requestId: string): void {
  const { status, body = '' } = reply;
  const headers: Record<string, string | string[]> = { ...reply.headers, 'apigw-requestid': requestId };
  const hasNoContent = status === 204 || status === 304;
  if (hasNoContent) delete headers['content-length'];
  // A HEAD reply may announce the length of the body it leaves out.
  else if (response.req.method !== 'HEAD' || headers['content-length'] === undefined) {
    headers['content-length'] = String(Buffer.byteLength(body));
  }
  response.writeHead(status, headers);
  response.end(hasNoContent ? undefined : body);
}
