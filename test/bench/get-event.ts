import type { HttpEvent } from '../../lib/http/event.ts';
import type { EntryName } from '../../lib/keys.ts';

/** The event API Gateway sends for `GET /cache/{namespace}/{key+}`, with the headers a client and the gateway add. */
export function createGetEvent({ namespace, key }: EntryName, apiKey: string): HttpEvent {
  const path = `/cache/${namespace}/${key}`;
  return {
    version: '2.0',
    routeKey: 'GET /cache/{namespace}/{key+}',
    rawPath: path,
    headers: {
      accept: '*/*',
      authorization: `Bearer ${apiKey}`,
      host: 'api.riptide.test',
      'user-agent': 'bench',
      'x-amzn-trace-id': 'Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-port': '443',
      'x-forwarded-proto': 'https',
    },
    pathParameters: { namespace, key },
    requestContext: { requestId: 'bench', http: { method: 'GET', path, sourceIp: '127.0.0.1' } },
    isBase64Encoded: false,
  };
}
