/** The generic request of @upstash/redis: any command, replies as the endpoint sent them. */
import { Redis } from '@upstash/redis';

/** What the endpoint answered to one command. */
export interface RestReply {
  readonly result?: unknown;
  readonly error?: string;
}

export interface RestRequest {
  /** One command; with `path: ['pipeline']` a list of them. Sent as JSON. */
  readonly body: unknown;
  readonly path?: string[];
  /** Ends the request; the client throws then. */
  readonly signal: AbortSignal;
}

export type RestRequester = (request: RestRequest) => Promise<unknown>;

/**
 * A requester over one @upstash/redis client, with the defaults off that lose data or repeat writes: retries,
 * deserialization, and base64 replies, whose decoder drops a leading byte-order mark.
 */
export function createRestRequester(endpoint: { readonly restUrl: string; readonly restToken: string }): RestRequester {
  // The client reads the signal while `request` runs, before anything is awaited: a function, because a fixed signal
  // would make an aborted call resolve.
  let signal: AbortSignal | undefined;
  const client = new Redis({
    url: endpoint.restUrl,
    token: endpoint.restToken,
    automaticDeserialization: false,
    responseEncoding: false,
    retry: { retries: 0 },
    enableTelemetry: false,
    signal: () => signal as AbortSignal,
  });
  const request = genericRequest(client);
  return ({ signal: own, ...rest }) => {
    signal = own;
    return request(rest);
  };
}

type GenericRequest = Parameters<Parameters<Redis['use']>[0]>[1];

/** The function under every command of the client, as a middleware is handed it. Nothing is sent. */
function genericRequest(client: Redis): GenericRequest {
  let request: GenericRequest | undefined;
  client.use(async (_request, next) => {
    request = next;
    return { result: null as never };
  });
  void client.exec(['PING']);
  if (request === undefined) throw new Error('@upstash/redis no longer calls its middleware at once');
  return request;
}
