/**
 * The quotas of a tenant: asked, reserved before work of unknown size, and settled after it. Reserving is exact: used and held
 * never pass the limit together, whoever races, and who is refused is not charged. Calls that take a caller are one round
 * trip through the gate, and one operation; see there for what each of them may throw besides.
 */
import { NotFoundError } from '../errors.ts';
import type { Caller } from '../gate/caller.ts';
import type { Gate } from '../gate/gate.ts';
import { newHoldId, newUlid, type TenantId } from '../ids.ts';
import { isoOf } from '../iso-time.ts';
import type { Keys } from '../keys.ts';
import { checkKey } from '../redis/bindings/key-scripts.ts';
import { releaseQuota, reserveQuota, settleQuota } from '../redis/bindings/quota-scripts.ts';
import type { RedisDriver, RedisReply } from '../redis/driver.ts';
import type {
  GetQuotasResponse,
  QuotaResponse,
  ReleaseQuotaResponse,
  ReserveQuotaResponse,
  SettledResponse,
} from './contract.ts';
import { RESOURCE_CODES, resourceOfCode } from './held-format.ts';
import { DEFAULT_TTL_SECONDS } from './limits.ts';
import { readFacts, toResponse } from './quota-facts.ts';
import { fits, quotaState, type Resource } from './quota-state.ts';
import * as refused from './refusals.ts';
import { checkAmount, checkHoldId, checkTtl, noReservation } from './reservation-rules.ts';

export type Quotas = ReturnType<typeof createQuotas>;

/** Identity of an operation: the same again is answered as before and changes nothing. */
interface Operation {
  /** Default: a new one. */
  readonly ulid?: string | undefined;
}

/** Reservations a tenant may have open at once: they are kept in Redis and not charged. */
const MAX_OPEN = 10_000;

export function createQuotas(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly gate: Gate;
  /** Unix ms: of ids, and for `check`, which decides nothing; all else goes by Redis' own time. */
  readonly now: () => number;
}) {
  const { redis, keys, gate, now } = deps;

  const settle = async (
    caller: Caller,
    { id, amount }: { readonly id: string; readonly amount: number },
    { ulid: op = newUlid(now()) }: Operation,
  ): Promise<SettledResponse> => {
    checkHoldId(id);
    const { found, nowMs } = await gate.run(caller, {
      script: settleQuota,
      scope: 'quotas:write',
      kind: 'write',
      resource: `quotas/reservations/${id}`,
      keys: () => ({}),
      args: () => ({ id, amount, op }),
      declined: ([outcome]) => outcome === UNKNOWN_HOLD,
    });
    const [outcome, reservedText] = found as readonly string[];
    const reserved = Number(reservedText);
    if (outcome === UNKNOWN_HOLD) throw noReservation();
    if (outcome === TOO_LITTLE) throw refused.tooSmall({ reserved, amount });
    const resource = resourceOfCode(outcome as string);
    return { id, resource, reserved, committed: amount, ...toResponse(resource, readFacts(found.slice(2), nowMs)) };
  };

  return {
    /**
     * Whether `amount` more fits now. Only reads: nothing is charged, no key is asked for, and what was allowed may be taken
     * by another call right after: to be sure, reserve. One round trip, one plain command.
     * @throws {NotFoundError} `tenant_not_found`.
     */
    async check(
      tenantId: TenantId,
      { resource, amount = 1, signal }: { resource: Resource; amount?: number; signal?: AbortSignal | undefined },
    ): Promise<QuotaResponse & { readonly allowed: boolean }> {
      checkAmount(amount);
      const command = ['HMGET', keys.gate(tenantId), 'h', 'm', 'r'] as const;
      const stored = (await redis.send(command, { kind: 'read', signal })) as readonly RedisReply[];
      if (stored[0] === null) throw new NotFoundError('tenant_not_found', 'No such tenant');
      const facts = readFacts(stored, now());
      const state = toResponse(resource, facts);
      return { allowed: fits(state, amount), ...state };
    },

    /** Every quota, this call counted in it; and whether `amount` (default 1) more of `resource` would fit. */
    async overview(
      caller: Caller,
      { resource, amount = 1 }: { readonly resource?: Resource | undefined; readonly amount?: number | undefined } = {},
    ): Promise<GetQuotasResponse> {
      checkAmount(amount);
      const { found, nowMs } = await gate.run(caller, {
        script: checkKey,
        scope: 'quotas:read',
        kind: 'read',
        resource: 'quotas',
        keys: () => ({}),
        args: () => ({}),
      });
      const facts = readFacts(found.slice(2), nowMs);
      return {
        check: resource === undefined ? null : { resource, amount, allowed: fits(quotaState(resource, facts), amount) },
        quotas: {
          memory_bytes: toResponse('memory_bytes', facts),
          storage_bytes: toResponse('storage_bytes', facts),
          operations_per_minute: toResponse('operations_per_minute', facts),
          data_transfer_bytes: toResponse('data_transfer_bytes', facts),
        },
      };
    },

    /**
     * Holds `amount` of a quota until it is committed, refunded, or `ttlMs` have passed. Operations are counted at once,
     * in this minute, and this call is one of them.
     * @param request.ttlMs 1 s to 1 h; default 60 s.
     * @throws {QuotaExceededError} operations or transfer: not before the minute or the month ends.
     * @throws {StorageFullError} `memory_full`, `storage_full`. @throws {ReservationError} too many are open.
     * In each case nothing was held, and nothing charged.
     */
    async reserve(
      caller: Caller,
      request: { readonly resource: Resource; readonly amount: number; readonly ttlMs?: number },
      { ulid = newUlid(now()) }: Operation = {},
    ): Promise<ReserveQuotaResponse> {
      const { resource, amount, ttlMs = DEFAULT_TTL_SECONDS * 1_000 } = request;
      checkAmount(amount);
      checkTtl(ttlMs);
      const id = newHoldId(ulid);
      const { found, nowMs } = await gate.run(caller, {
        script: reserveQuota,
        scope: 'quotas:write',
        kind: 'write',
        resource: `quotas/${resource}`,
        keys: () => ({}),
        args: () => ({ resource: RESOURCE_CODES[resource], amount, ttlMs, id, maxOpen: MAX_OPEN }),
        full: ([outcome]) => resource === 'memory_bytes' && outcome === FULL,
        declined: ([outcome]) => outcome === FULL || outcome === TOO_MANY,
      });
      const state = toResponse(resource, readFacts(found.slice(2), nowMs));
      if (found[0] === FULL) throw refused.full(resource, state, amount);
      if (found[0] === TOO_MANY) throw refused.tooMany(MAX_OPEN);
      return { id, resource, amount, expires_at: isoOf(Number(found[1])), ...state };
    },

    /**
     * Ends a reservation: `amount` of it counts as used, the rest is given back. Memory and storage stay used until they are
     * released; of operations something is given back only within the minute they were counted in.
     * @throws {NotFoundError} `reservation_not_found`: unknown, settled before, or its time was over.
     * @throws {ReservationError} `reservation_too_small`: less was reserved; it stands as it was.
     */
    commit(caller: Caller, id: string, amount: number, options: Operation = {}): Promise<SettledResponse> {
      if (amount !== 0) checkAmount(amount);
      return settle(caller, { id, amount }, options);
    },

    /** Ends a reservation of which nothing was used. @throws {NotFoundError} as `commit`. */
    refund(caller: Caller, id: string, options: Operation = {}): Promise<SettledResponse> {
      return settle(caller, { id, amount: 0 }, options);
    },

    /**
     * Gives back bytes that were committed.
     * @throws {ReservationError} `release_too_large`: less is committed; nothing was changed.
     */
    async release(
      caller: Caller,
      { resource, amount }: { readonly resource: 'memory_bytes' | 'storage_bytes'; readonly amount: number },
      { ulid: op = newUlid(now()) }: Operation = {},
    ): Promise<ReleaseQuotaResponse> {
      checkAmount(amount);
      const { found, nowMs } = await gate.run(caller, {
        script: releaseQuota,
        scope: 'quotas:write',
        kind: 'write',
        resource: `quotas/${resource}`,
        keys: () => ({}),
        args: () => ({ resource: RESOURCE_CODES[resource], amount, op }),
        declined: ([outcome]) => outcome === TOO_LITTLE,
      });
      if (found[0] === TOO_LITTLE) throw refused.tooLarge({ resource, committed: Number(found[1]), amount });
      return { resource, released: amount, ...toResponse(resource, readFacts(found.slice(2), nowMs)) };
    },
  };
}

/** Outcomes of the scripts that changed nothing. */
const FULL = 3;
const TOO_MANY = 4;
const UNKNOWN_HOLD = 'n';
const TOO_LITTLE = 'x';
