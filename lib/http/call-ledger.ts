/** Where calls with an `Idempotency-Key` are kept while they run and after: one of the service's own, one of each tenant. */
import { createHash } from 'node:crypto';
import type { Caller } from '../gate/caller.ts';

export interface IdempotentCall {
  /** The caller's own key. */
  readonly caller: string;
  /** Of tenant routes: the call passes the gate with this scope, and is kept and charged with the tenant. */
  readonly tenant?: { readonly caller: Caller; readonly scope: string } | undefined;
  readonly idempotencyKey: string;
  /** Method and path, as sent. */
  readonly route: string;
  /** Query and body: another one is another request. */
  readonly body: string;
  /** Operation id of a first call. */
  readonly operationId: string;
  /** How long the call may run. */
  readonly leaseMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** A call of a tenant route. */
export type TenantCall = IdempotentCall & { readonly tenant: NonNullable<IdempotentCall['tenant']> };
export const isTenantCall = (call: IdempotentCall): call is TenantCall => call.tenant !== undefined;

/** What became of a reply: kept; another run has taken the call over; or there is no memory to keep it in. */
export type Ended = 'kept' | 'not_ours' | 'no_room';

export type BegunCall =
  | {
      readonly state: 'run';
      readonly op: string;
      /** Grows with each run of the call. */
      readonly lease: string;
      /** @param reply empty: nothing was changed, and the call may be forgotten. */
      end(reply: string): Promise<Ended>;
    }
  | { readonly state: 'done'; readonly reply: string }
  | { readonly state: 'running'; readonly leftMs: number }
  | { readonly state: 'other' };

export interface CallLedger<Call extends IdempotentCall> {
  begin(call: Call): Promise<BegunCall>;
}

/** How long an outcome is kept. */
export const KEPT_MS = 24 * 60 * 60 * 1000;

export const digestOf = (...parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
