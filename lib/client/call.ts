/** What a call of the client takes and gives, inferred from the contract of its endpoint. */
import type * as z from 'zod';
import type { ProblemCode } from '../docs/problem-codes.ts';
import type { Contract } from '../http/contract.ts';

/** What every call may say beside what its endpoint takes. */
export interface CallOptions {
  /** Ends the call early, with the problem `aborted`. */
  readonly signal?: AbortSignal;
  /** For this call: milliseconds until the problem `timeout`, its repeats included. */
  readonly timeoutMs?: number;
  /**
   * POST and PATCH: default a new random one, so that repeating is safe; of `checkLimit` none. null: none is sent, nothing is
   * repeated.
   */
  readonly idempotencyKey?: string | null;
}

/** One call: the parts its contract names, as they are before parsing. */
export type Call<C extends Contract> = CallOptions &
  Part<C, 'params'> &
  Part<C, 'query', number> &
  Part<C, 'headers'> &
  BodyPart<C>;

/** `More`: what a value may be besides; it is sent as text. */
type Part<C extends Contract, K extends 'params' | 'query' | 'headers', More = never> =
  C extends Readonly<Record<K, infer S extends z.ZodType>> ? Field<K, Widened<z.input<S>, More>> : unknown;
type Widened<T, More> = { readonly [K in keyof T]: T[K] | More };

/** May be left out when nothing in it must be given. */
type Field<K extends string, T> = Record<never, never> extends T ? { readonly [P in K]?: T } : { readonly [P in K]: T };

type BodyPart<C extends Contract> = C extends { readonly body: 'bytes' }
  ? { readonly body: Uint8Array | ArrayBuffer | string }
  : C extends { readonly body: infer S extends z.ZodType }
    ? Field<'body', z.input<S>>
    : unknown;

/** A reply its contract names: `data` where it is JSON, `bytes` where it is a value, else headers alone. */
export type Reply<C extends Contract> = {
  [S in keyof C['replies'] & number]: ReplyOfStatus<S, C['replies'][S]>;
}[keyof C['replies'] & number];

interface ReplyBase<S> {
  /** The endpoint gave one of the replies its contract names; `status` says which. */
  readonly ok: true;
  readonly status: S;
  readonly headers: Headers;
}

type ReplyOfStatus<S, R> = R extends { readonly schema: infer Z extends z.ZodType }
  ? ReplyBase<S> & { readonly data: z.output<Z> }
  : R extends { readonly bytes: true }
    ? ReplyBase<S> & { readonly bytes: Uint8Array; readonly contentType: string }
    : ReplyBase<S>;

/** Codes that only the client gives. `invalid_request` may be its own as well: then `status` is 0. */
export type ClientCode = 'network_error' | 'timeout' | 'aborted' | 'unexpected_reply';

/** A problem as the service sends it; a code may be newer than this client. */
export interface ClientProblem {
  readonly code: ProblemCode | ClientCode | (string & {});
  readonly title: string;
  readonly detail: string;
  /** 0: no answer came, or nothing was sent. */
  readonly status: number;
  readonly request_id: string;
  readonly errors?: readonly { readonly field: string; readonly message: string }[] | undefined;
  readonly details?: Readonly<Record<string, string | number | boolean | null>> | undefined;
}

/** The call was refused, or has failed. */
export interface Failure {
  readonly ok: false;
  /** As in the problem. */
  readonly status: number;
  readonly problem: ClientProblem;
  /** Empty when no answer came. */
  readonly headers: Headers;
  /** When the service says so. */
  readonly retryAfterMs?: number;
}

/** What every call resolves to; no answer of the service, and none at all, makes it throw. */
export type Outcome<C extends Contract> = Reply<C> | Failure;
