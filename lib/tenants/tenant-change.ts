/**
 * Changes a tenant: read, decide, write if nobody else did meanwhile, tell. Four round trips. Every change of a tenant that
 * exists goes this way, so each is in the audit log and holds from the next request on.
 */
import { type AuditAction, type AuditDetails, newAuditEntry, packEntry } from '../audit/entry.ts';
import { NotFoundError, OutcomeUnknownError, PreconditionFailedError, RedisUnavailableError } from '../errors.ts';
import { type ContextData, packContext } from '../gate/context-format.ts';
import { burstOf } from '../gate/gate-fields.ts';
import { newUlid, type TenantId } from '../ids.ts';
import type { Keys } from '../keys.ts';
import { changeTenant } from '../redis/bindings/tenant-scripts.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { runScript } from '../redis/script.ts';
import { type AdminCall, originOf } from './admin-call.ts';
import type { TenantResponse } from './contract.ts';
import type { Publisher } from './publisher.ts';
import { type StoredTenant, unpackRecord } from './record-format.ts';
import type { CurrentTenant, TenantReader } from './tenant-reader.ts';

/** Revisions an `If-Match` names; `*`: whatever it is. */
export type RevMatch = '*' | readonly number[];

export interface ChangeOptions extends AdminCall {
  readonly ifMatch?: RevMatch | undefined;
}

/** `set` and `del` a field of the gate, `limit` a limit of a key or route, `ask` and `forget` a quota request. */
export interface FurtherChange {
  readonly kind: 'set' | 'del' | 'limit' | 'ask' | 'forget';
  readonly name: string;
  readonly value?: string;
}

export interface TenantChange {
  /** The whole record to be; `updated_at` is set here. */
  readonly tenant: TenantResponse;
  readonly action: AuditAction;
  readonly details?: AuditDetails;
  /** Instances learn it with their next request. */
  readonly context?: ContextData;
  readonly further?: readonly FurtherChange[];
}

/**
 * What is to be of the tenant at `nowMs` (Unix ms); null: it is so already. Asked again when somebody else was faster. Throws
 * to refuse.
 */
export type Decide = (current: CurrentTenant, nowMs: number) => TenantChange | null | Promise<TenantChange | null>;

/** Each failed try means that somebody else's change was made. */
const MAX_TRIES = 50;

export type TenantChanges = ReturnType<typeof createTenantChanges>;

export function createTenantChanges(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly reader: TenantReader;
  readonly publisher: Publisher;
  /** Unix time, ms: for the record's times. */
  readonly now: () => number;
}) {
  const { redis, keys, reader, publisher, now } = deps;

  const write = (
    id: TenantId,
    current: CurrentTenant,
    change: TenantChange,
    call: ChangeOptions & { ulid: string },
  ) => {
    const entry = newAuditEntry({
      id: call.ulid,
      action: change.action,
      tenantId: id,
      ...originOf(call),
      now: now(),
      ...(change.details === undefined ? {} : { details: change.details }),
    });
    const tenant = { ...change.tenant, updated_at: new Date(now()).toISOString() };
    const context = change.context === undefined ? [] : [set('x', packContext(change.context))];
    return runScript(redis, changeTenant, {
      keys: {
        record: keys.record(id),
        gate: keys.gate(id),
        billing: keys.billing(id),
        requests: keys.quotaRequests(id),
      },
      args: {
        rev: current.stored.rev,
        op: call.ulid,
        json: JSON.stringify(tenant),
        status: tenant.status,
        limits: limitsOf(tenant),
        bumpContext: change.context === undefined ? 0 : 1,
        oldPlan: tenant.plan === current.stored.tenant.plan ? '' : current.stored.tenant.plan,
        entry: packEntry(entry),
        changes: [...context, ...(change.further ?? [])].flatMap(({ kind, name, value = '' }) => [kind, name, value]),
      },
      kind: 'write',
      signal: call.signal,
    });
  };

  /** One try. Null: somebody else was faster, or the reply was lost; it is to be tried again. */
  const attempt = async (id: TenantId, decide: Decide, call: ChangeOptions & { ulid: string }) => {
    const current = await reader.read(id, call.signal);
    const { stored, outbox } = current;
    if (stored.op === call.ulid) return { stored, outbox };
    requireMatch(call.ifMatch, current);
    const change = await decide(current, now());
    if (change === null) return { stored, outbox };
    const outcome = await write(id, current, change, call);
    if (outcome.state === 'none') throw new NotFoundError('tenant_not_found', 'No such tenant');
    return outcome.state === 'conflict' ? null : { stored: unpackRecord(outcome.record), outbox: outcome.outbox };
  };

  return {
    /** What {@link change} would be decided to do; changes nothing. One round trip. @throws as change, but for its writing. */
    async preview(id: TenantId, options: ChangeOptions, decide: Decide) {
      const current = await reader.read(id, options.signal);
      requireMatch(options.ifMatch, current);
      return { current, change: await decide(current, now()) };
    },

    /**
     * Changes the tenant, or finds that nothing is to be changed.
     * @param call.ulid identity of this change: made again as the last one, it is answered and not made again.
     * @throws {NotFoundError} `tenant_not_found`. @throws {TenantErasedError} it was erased.
     * @throws {PreconditionFailedError} `ifMatch` does not name its revision. @throws what `decide` throws.
     * @throws {OutcomeUnknownError} it may be made: a reply was lost, or it is not yet published.
     */
    async change(id: TenantId, options: ChangeOptions, decide: Decide): Promise<StoredTenant> {
      const call = { ...options, ulid: options.ulid ?? newUlid(now()) };
      let lost: OutcomeUnknownError | undefined;
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const made = await attempt(id, decide, call).catch((error: unknown) => {
          // After a lost reply no refusal means that nothing was changed.
          if (lost !== undefined) throw lost;
          if (!(error instanceof OutcomeUnknownError) || call.signal?.aborted) throw error;
          lost = error;
          return null;
        });
        if (made === null) continue;
        await publisher.publish(id, { ...made, signal: call.signal });
        return made.stored;
      }
      throw lost ?? new RedisUnavailableError('Others change this tenant again and again', { retryAfterMs: 1_000 });
    },
  };
}

export const set = (name: string, value: string): FurtherChange => ({ kind: 'set', name, value });

/** As the gate's field `h` has them after status, context version and generation. */
export function limitsOf({ quotas, rate_limit }: Pick<TenantResponse, 'quotas' | 'rate_limit'>): string {
  const rate = quotas.operations_per_minute;
  const burst = rate_limit?.burst ?? burstOf(rate);
  return [rate, burst, quotas.memory_bytes, quotas.storage_bytes, quotas.data_transfer_bytes].join(',');
}

function requireMatch(ifMatch: RevMatch | undefined, { stored }: CurrentTenant): void {
  if (ifMatch === undefined || ifMatch === '*' || ifMatch.includes(stored.rev)) return;
  throw new PreconditionFailedError('The tenant was changed meanwhile');
}
