/** The generic request of @upstash/redis: any command, replies as the endpoint sent them. */
import { Redis } from '@upstash/redis';
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
    checkSize(rest.body);
    signal = own;
    return request(rest);
  };
}

/** Upstash's limit on one request. An endpoint may end the connection of a larger one, which would look like a lost reply. */
const MAX_REQUEST_BYTES = 10 * 1024 * 1024;
/** As JSON a character takes 6 bytes at most: a list that is shorter fits, and need not be measured. */
const SURELY_FITS_CHARS = MAX_REQUEST_BYTES / 6 - 1_024;

/** @throws {BodyTooLargeError} */
function checkSize(body: unknown): void {
  if (charsOf(body) > SURELY_FITS_CHARS && Buffer.byteLength(JSON.stringify(body)) > MAX_REQUEST_BYTES)
    throw requestTooLarge();
}

function charsOf(part: unknown): number {
  if (!Array.isArray(part)) return typeof part === 'string' ? part.length + 1 : 24;
  let chars = 0;
  for (const item of part) chars += charsOf(item);
  return chars;
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
