/** Turns a call into what fetch takes, or says why it cannot travel. Pure but for the random Idempotency-Key. */
import { takesIdempotencyKey } from '../docs/route-problems.ts';
import { InvalidRequestError } from '../errors.ts';
import type { Contract } from '../http/contract.ts';
import type { CallOptions, Failure } from './call.ts';
import { localFailure } from './failure.ts';
import { LINKING } from './follow-link.ts';
import { fillPath } from './path.ts';

/** A call whose types are no longer known. */
export interface AnyCall extends CallOptions {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
}

export interface PreparedRequest {
  readonly url: string;
  readonly method: Contract['method'];
  readonly headers: Headers;
  readonly body?: Uint8Array | ArrayBuffer | string;
}

export interface Target {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly key: string | undefined;
}

/** Nothing is sent when this gives a {@link Failure}. */
export function prepareRequest(target: Target, contract: Contract, call: AnyCall): PreparedRequest | Failure {
  try {
    const path = fillPath(contract.path, call.params ?? {});
    const url = `${target.baseUrl}${path}${queryText({ ...LINKING[contract.name], ...call.query })}`;
    return { url, method: contract.method, headers: headersOf(target, contract, call), ...bodyOf(contract, call) };
  } catch (error) {
    if (error instanceof InvalidRequestError) return localFailure('invalid_request', error.message, error.issues);
    // fetch's own refusal of a header that HTTP cannot carry; its message would quote the value.
    return localFailure('invalid_request', 'A header or the body cannot be sent as it is');
  }
}

function queryText(query: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  if (given.length === 0) return '';
  return `?${new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]))}`;
}

function headersOf({ key }: Target, contract: Contract, { headers = {}, idempotencyKey }: AnyCall): Headers {
  const all = new Headers();
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) all.set(name, value);
  if (key !== undefined && contract.guard.kind !== 'open') all.set('authorization', `Bearer ${key}`);
  if (contract.body !== undefined && contract.body !== 'bytes') all.set('content-type', 'application/json');
  const named = takesIdempotencyKey(contract) && idempotencyKey !== null;
  if (named && (idempotencyKey !== undefined || contract.idempotencyKey !== 'on_request'))
    all.set('idempotency-key', idempotencyKey ?? randomKey());
  return all;
}

function bodyOf({ body }: Contract, call: AnyCall): Pick<PreparedRequest, 'body'> {
  if (body === undefined) return {};
  if (body !== 'bytes') return { body: JSON.stringify(call.body ?? {}) };
  // As bytes: for text, fetch would add a content type that nobody asked for.
  if (typeof call.body === 'string') return { body: new TextEncoder().encode(call.body) };
  return { body: call.body as Uint8Array | ArrayBuffer };
}

// randomUUID is not there in pages without TLS.
const randomKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
