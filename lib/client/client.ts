/**
 * A typed client of this API for any place that has fetch: browsers, edge runtimes, Node. Its methods, what they take and
 * what they give come from the contracts the service itself is made from.
 */
import type { Contract } from '../http/contract.ts';
import { allContracts, type ContractName, type ContractOf } from '../http/contracts.ts';
import type { Call, Failure, Outcome } from './call.ts';
import { localFailure } from './failure.ts';
import { followLink } from './follow-link.ts';
import { type AnyReply, readReply } from './read-reply.ts';
import { type AnyCall, type PreparedRequest, prepareRequest, type Target } from './request.ts';
import { retryWaitMs } from './retry-policy.ts';

export interface ClientOptions {
  /** `https://api.example.com`, or with a stage: `https://api.example.com/prod`. */
  readonly baseUrl: string;
  /** The admin key or a tenant's. Not sent to endpoints that take none. */
  readonly key?: string;
  /** Default: the global one. */
  readonly fetch?: typeof globalThis.fetch;
  /** Milliseconds a call may take, its repeats included. Default 30,000. */
  readonly timeoutMs?: number;
  /** How often what passes (429, 503, a first request that still runs) is repeated, after the time `Retry-After` says, where that is safe. Default 0. */
  readonly retries?: number;
}

type Method<C extends Contract> = (
  ...args: Record<never, never> extends Call<C> ? [call?: Call<C>] : [call: Call<C>]
) => Promise<Outcome<C>>;

/** One method for each endpoint, named as its contract. */
export type Client = { readonly [N in ContractName]: Method<ContractOf<N>> };

/**
 * @example
 * const client = createClient({ baseUrl: 'https://api.example.com', key });
 * const entry = await client.getEntry({ params: { namespace: 'pages', key: 'en/home' } });
 * if (!entry.ok) throw new Error(entry.problem.code);
 * @throws {TypeError} `baseUrl` is not an http or https URL.
 */
export function createClient(options: ClientOptions): Client {
  const connection: Connection = {
    target: { baseUrl: checkBaseUrl(options.baseUrl), key: options.key },
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    timeoutMs: options.timeoutMs ?? 30_000,
    retries: options.retries ?? 0,
  };
  const methods = allContracts.map(
    (contract: Contract) => [contract.name, (call: AnyCall = {}) => send(connection, contract, call)] as const,
  );
  return Object.fromEntries(methods) as unknown as Client;
}

interface Connection extends Required<Pick<ClientOptions, 'fetch' | 'timeoutMs' | 'retries'>> {
  readonly target: Target;
}

async function send(connection: Connection, contract: Contract, call: AnyCall): Promise<AnyReply | Failure> {
  const request = prepareRequest(connection.target, contract, call);
  if ('ok' in request) return request;
  const { retries } = connection;
  const timeoutMs = call.timeoutMs ?? connection.timeoutMs;
  const endsAt = performance.now() + timeoutMs;
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = call.signal === undefined ? timeout : AbortSignal.any([timeout, call.signal]);
  for (let attempt = 0; ; attempt++) {
    const outcome = await attemptOnce(connection, { contract, request, signal }, timeout);
    const waitMs = retryWaitMs(request, outcome, { attempt, retries, leftMs: endsAt - performance.now() });
    if (waitMs === null) return outcome;
    await wait(waitMs, signal);
  }
}

interface Attempt {
  readonly contract: Contract;
  readonly request: PreparedRequest;
  readonly signal: AbortSignal;
}

async function attemptOnce(
  connection: Connection,
  { contract, request, signal }: Attempt,
  timeout: AbortSignal,
): Promise<AnyReply | Failure> {
  const { url, method, headers, body } = request;
  // A redirect would take the key along; large values come by a link, which is read without it.
  const init: RequestInit = { method, headers, signal, redirect: 'manual', ...(body === undefined ? {} : { body }) };
  try {
    const reply = await readReply(contract, await connection.fetch(url, init));
    return await followLink(reply, (link) => connection.fetch(link, { signal }));
  } catch {
    if (timeout.aborted) return localFailure('timeout', 'No answer came in time; what was sent may be applied');
    if (signal.aborted) return localFailure('aborted', 'The caller ended the call; what was sent may be applied');
    return localFailure('network_error', 'The service cannot be reached, or the connection broke');
  }
}

/** Ends early when the signal does: the next attempt then says why. */
function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    if (signal.aborted) done();
    signal.addEventListener('abort', done);
  });
}

function checkBaseUrl(text: string): string {
  const { protocol, origin, pathname } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:') throw new TypeError('baseUrl must begin with http:// or https://');
  return origin + pathname.replace(/\/+$/, '');
}
