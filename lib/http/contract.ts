/**
 * A route's contract: what it takes, what it gives, who may call it. Handlers, OpenAPI and the typed client read the
 * same object. A contract without a guard does not compile.
 */
import type * as z from 'zod';
import type { Scope } from '../gate/scope.ts';

/** `none`: any tenant key will do. */
export type Guard =
  | { readonly kind: 'open' }
  | { readonly kind: 'admin' }
  | { readonly kind: 'tenant'; readonly scope: Scope | 'none' };

export const open = { kind: 'open' } as const;
export const admin = { kind: 'admin' } as const;
export const tenant = <S extends Scope | 'none'>(scope: S) => ({ kind: 'tenant', scope }) as const;

export interface ReplySpec {
  readonly description: string;
  /** The JSON body; absent for an empty one. */
  readonly schema?: z.ZodType;
  /** The body is the stored value, byte for byte, with a content type of its own; or a page. */
  readonly bytes?: boolean;
  /** Header name -> what it says. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Contract {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** As API Gateway writes it: `/cache/{namespace}/{key+}`. */
  readonly path: string;
  /** camelCase; the name of the function and of the client's method. */
  readonly name: string;
  readonly summary: string;
  readonly guard: Guard;
  /**
   * Of tenant routes: what happens while the gate cannot be asked. `closed`, the default: 503, like everything that needs the
   * store. `open`: the route may answer a key that this instance saw admitted of late, unmetered, if its request says so.
   */
  readonly whenLimitsFail?: 'closed' | 'open';
  /**
   * POST and PATCH: whether the client names each call with a key of its own making. `by_default`; or `on_request`, where
   * keeping each answer for 24 hours would cost more than the call.
   */
  readonly idempotencyKey?: 'by_default' | 'on_request';
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  /** Header names in lower case; those not named are ignored. */
  readonly headers?: z.ZodType;
  /** A JSON schema, or `bytes`: the body as it is. Absent: no body is taken. */
  readonly body?: z.ZodType | 'bytes';
  /** A JSON body that is left out, with its content type, is `{}`: where nothing has to be said. */
  readonly bodyMayBeAbsent?: true;
  readonly replies: Readonly<Record<number, ReplySpec>>;
  /** Codes of the problems this route may answer with, beside those of its guard. */
  readonly problems: readonly string[];
}

/** Keeps the literal types of a contract. */
export const defineContract = <const C extends Contract>(contract: C): C => contract;

type Parsed<T> = T extends z.ZodType ? z.output<T> : undefined;

/** What a handler is given: every part checked by its schema. */
export interface Input<C extends Contract> {
  readonly params: Parsed<C['params']>;
  readonly query: Parsed<C['query']>;
  readonly headers: Parsed<C['headers']>;
  readonly body: C['body'] extends 'bytes' ? Buffer : Parsed<C['body']>;
}
