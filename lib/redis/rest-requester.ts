/** The generic request of @upstash/redis: any command, replies as the endpoint sent them. */
import { Redis } from '@upstash/redis';
import { jsonBytes, surelyFit } from './command-size.ts';
import type { RedisCommand } from './driver.ts';
import { requestTooLarge } from './transport-errors.ts';

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

/** Upstash's limit on one request. An endpoint may end the connection of a larger one, which would look like a lost reply. */
const MAX_REQUEST_BYTES = 10 * 1024 * 1024;

/** Bytes of the command in a request. @throws {BodyTooLargeError} no request can hold it. */
export function requestBytes(command: RedisCommand): number {
  const bytes = jsonBytes(command);
  if (bytes > MAX_REQUEST_BYTES) throw requestTooLarge();
  return bytes;
}

/** @throws {BodyTooLargeError} no request can hold it. */
export function checkSize(command: RedisCommand): void {
  if (!surelyFit([command], MAX_REQUEST_BYTES)) requestBytes(command);
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
