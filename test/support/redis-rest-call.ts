/** Plain HTTP to the Upstash endpoint: what the client would hide is seen here. */
import { servers } from './servers.ts';

export interface RestAnswer {
  readonly status: number;
  readonly text: string;
  readonly json: { readonly result?: unknown; readonly error?: string } & readonly {
    result?: unknown;
    error?: string;
  }[];
}

export interface RestCall {
  readonly path?: string;
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly url?: string;
}

/** A request with the right token; a body that is no text or bytes goes as JSON. `url` default: the shared endpoint. */
export async function restCall({
  path = '/',
  method = 'POST',
  body,
  headers,
  url = servers().restUrl,
}: RestCall): Promise<RestAnswer> {
  const init: RequestInit = { method, headers: { authorization: `Bearer ${servers().restToken}`, ...headers } };
  if (body !== undefined)
    init.body =
      typeof body === 'string' || Buffer.isBuffer(body) ? new Uint8Array(Buffer.from(body)) : JSON.stringify(body);
  const response = await fetch(`${url}${path}`, init);
  const text = await response.text();
  return { status: response.status, text, json: text === '' ? null : JSON.parse(text) };
}
