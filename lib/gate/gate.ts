/**
 * The request gate, from the side of TypeScript: runs a script that opens it, and turns its refusals into errors.
 * The checks themselves are in redis/scripts/includes/open-gate.lua, in the same step as the work.
 */

import { ForbiddenError, OutcomeUnknownError } from '../errors.ts';
import type { TenantId } from '../ids.ts';
import type { Keys } from '../keys.ts';
import type { GateArg, GateKey } from '../redis/bindings/gate-args.ts';
import { verifyAccess } from '../redis/bindings/gate-scripts.ts';
import type { RedisDriver, RedisReply } from '../redis/driver.ts';
import { type Named, runScript, type Script } from '../redis/script.ts';
import { readAdmission } from './admission.ts';
import type { Caller } from './caller.ts';
import { EMPTY_CONTEXT, type TenantContext, unpackContext } from './context-format.ts';
import type { Contexts } from './contexts.ts';
import type { ExpiredRecords } from './expired-records.ts';
import { keyField } from './gate-fields.ts';
import { type Access, allows } from './policies.ts';
import { ADMITTED, CONTEXT_OLD, refusal, turnsAway } from './refusal.ts';
import type { SeenKeys } from './seen-keys.ts';

/** One gated script call; keys and arguments besides the gate's own, for the tenant's context. */
export interface GatedCall<Key extends string, Arg extends string> {
  readonly script: Script<Key, Arg, readonly RedisReply[]>;
  readonly scope: string;
  /** `write`: its arguments carry an operation id the script dedupes by, so one retry after a lost reply is safe. */
  readonly kind: 'read' | 'write';
  /** What the tenant's policies are asked about, as `cache/orders/42`; absent: they have no say. */
  readonly resource?: string;
  /** Asked instead of `resource`, by a call that is about many of them: whether the policies allow all it is about. */
  allowed?(policies: TenantContext['policies'], who: Omit<Access, 'resource'>): boolean;
  keys(context: TenantContext): Omit<Named<Key, string>, GateKey>;
  /** Not called before the context is known. May be slow: to encrypt, or to fetch a key. */
  args(context: TenantContext): OwnArgs<Arg> | Promise<OwnArgs<Arg>>;
  /** Whether the script's own answer says that there is no room for it: it is asked again when expired records made some. */
  full?(answer: readonly RedisReply[]): boolean;
  /** Asked when it is full even so: whether room was made, so that it is worth asking again. {@link MAX_ROUNDS} times at most, from `round` 0 on. */
  makeRoom?(context: TenantContext, answer: readonly RedisReply[], round: number): Promise<boolean>;
  /** Whether the script's own answer, after its admission, says that it changed nothing: after a lost reply, nobody knows. */
  declined?(answer: readonly RedisReply[]): boolean;
}

type OwnArgs<Arg extends string> = Omit<Named<Arg, string | number>, GateArg>;

export type Gate = ReturnType<typeof createGate>;

export function createGate(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly contexts: Contexts;
  readonly seen: SeenKeys;
  readonly expired: Pick<ExpiredRecords, 'free'>;
}) {
  const { redis, keys, contexts, seen, expired } = deps;
  const carried = new Map<TenantId, Carried>();

  const attempt = async <Key extends string, Arg extends string>(
    caller: Caller,
    call: Omit<GatedCall<Key, Arg>, 'resource' | 'allowed' | 'declined'>,
    context: TenantContext | undefined,
    carriedUs: string,
  ) => {
    const gateKeys = { gate: keys.gate(caller.tenantId), holds: keys.holds(caller.tenantId) };
    const gateArgs = {
      keyField: keyField(caller.keyHash),
      scope: call.scope === 'none' ? '' : ` ${call.scope} `,
      context: context?.version ?? '',
      carriedUs,
      route: caller.route ?? '',
    };
    const own = context === undefined ? blank(call.script.args) : await call.args(context);
    return runScript(redis, call.script, {
      keys: { ...call.keys(context ?? NO_CONTEXT), ...gateKeys } as Named<Key, string>,
      args: { ...own, ...gateArgs } as Named<Arg, string | number>,
      kind: call.kind,
      signal: caller.signal,
    });
  };

  /**
   * One attempt; where the tenant's policies forbid the call, only the gate is asked, and nothing is metered: who has no
   * good key is told so, and who was judged by policies of yesterday is judged again.
   */
  const attemptAllowed = async <Key extends string, Arg extends string>(
    caller: Caller,
    call: GatedCall<Key, Arg>,
    context: TenantContext | undefined,
    carriedUs: string,
  ) => {
    const { resource, scope } = call;
    const who = { keyId: caller.keyId, action: scope };
    const permits = (policies: TenantContext['policies']) =>
      call.allowed?.(policies, who) ?? (resource === undefined || allows(policies, { ...who, resource }));
    if (context === undefined || permits(context.policies)) return attempt(caller, call, context, carriedUs);
    const ask = { script: verifyAccess, scope, kind: 'read', keys: () => ({}), args: () => ({}) } as const;
    const reply = await attempt(caller, ask, context, NOTHING_CARRIED);
    if (reply[0] === ADMITTED) throw denied(scope);
    return reply;
  };

  const carry = (tenantId: TenantId, computeUs: number, accessUs: number) => {
    const before = carried.get(tenantId);
    if (before === undefined && carried.size >= MAX_CARRIED) return;
    carried.set(tenantId, {
      computeUs: (before?.computeUs ?? 0) + Math.round(computeUs),
      accessUs: (before?.accessUs ?? 0) + Math.round(accessUs),
    });
  };

  return {
    /**
     * Runs the script: one round trip; two for an instance's first call for a tenant, or after its context changed. Where
     * memory is full what has expired is looked for, one round trip more, and removed, two more, before it is refused.
     * @returns the caller's limits, Redis' time, what the script found, and the tenant's context as it then was.
     * @throws {UnauthorizedError | ForbiddenError | RateLimitedError | QuotaExceededError} refused, nothing was changed.
     * @throws what `args` throws; then nothing was sent.
     * @throws {OutcomeUnknownError} a write's reply was lost, and asking again did not tell; it may be sent again.
     */
    async run<Key extends string, Arg extends string>(caller: Caller, call: GatedCall<Key, Arg>) {
      const carriedUs = take(carried, caller.tenantId);
      let context = contexts.find(caller.tenantId);
      let lost = false;
      let freed = false;
      let rounds = 0;
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        // What was carried may have been metered by the call whose reply was lost: at most once, so not again.
        const reply = await attemptAllowed(caller, call, context, lost ? NOTHING_CARRIED : carriedUs).catch(
          (error: unknown) => {
            if (lost) throw stillUnknown(error);
            if (!(error instanceof OutcomeUnknownError) || caller.signal?.aborted) throw error;
            lost = true;
            return null;
          },
        );
        if (reply === null) continue;
        if (reply[0] === ADMITTED) {
          const admission = readAdmission(reply, 1);
          seen.admitted(caller.keyHash, call.scope);
          caller.onAdmitted?.(admission);
          const found = reply.slice(7);
          const { generation } = context ?? NO_CONTEXT;
          if (call.full?.(found) && !freed) {
            freed = true;
            if ((await expired.free(caller.tenantId, generation, caller.signal)) > 0) continue;
          }
          if (call.makeRoom !== undefined && call.full?.(found) && rounds < MAX_ROUNDS) {
            if (await call.makeRoom(context ?? NO_CONTEXT, found, rounds++)) continue;
          }
          if (lost && call.declined?.(found)) throw stillUnknown();
          return { admission, nowMs: reply[3] as number, found, context: context ?? NO_CONTEXT };
        }
        if (reply[0] !== CONTEXT_OLD) {
          const { error, admission } = refusal(reply, call.scope);
          if (turnsAway(reply)) seen.refused(caller.keyHash);
          if (admission !== undefined) caller.onAdmitted?.(admission);
          throw lost ? stillUnknown(error) : error;
        }
        context = unpackContext(reply[1] as string, reply[2] as string, reply[3] as string);
        contexts.keep(caller.tenantId, context);
      }
      throw new OutcomeUnknownError('The tenant changed again and again while this ran', { retryAfterMs: 1_000 });
    },

    /**
     * Whether this instance saw the key admitted for this within the last 5 minutes, and the policies it knows allow it. For
     * routes that stay open while nobody can be asked (`whenLimitsFail` of a contract): nothing is checked or metered here.
     */
    sawAdmitted(caller: Caller, { scope, resource }: { readonly scope: string; readonly resource: string }): boolean {
      const context = contexts.find(caller.tenantId);
      if (context === undefined || !seen.has(caller.keyHash, scope)) return false;
      return allows(context.policies, { keyId: caller.keyId, action: scope, resource });
    },

    /**
     * Whether an answer may stand on an earlier passage, as {@link sawAdmitted} but within `withinMs`: of reads of namespaces
     * whose tenant allows them to be so old. Nothing is metered.
     */
    vouches(
      caller: Caller,
      { scope, resource, withinMs }: { readonly scope: string; readonly resource: string; readonly withinMs: number },
    ): boolean {
      const context = contexts.find(caller.tenantId);
      if (context === undefined || !seen.has(caller.keyHash, scope, withinMs)) return false;
      if (!allows(context.policies, { keyId: caller.keyId, action: scope, resource })) return false;
      caller.onVouched?.();
      return true;
    },

    /** Adds work known only afterwards, in microseconds, to the tenant's next call on this instance. */
    carry(tenantId: TenantId, us: number): void {
      carry(tenantId, us, 0);
    },

    /** As {@link carry}: what a read of the cache took, from here to Redis and back. */
    carryAccess(tenantId: TenantId, us: number): void {
      carry(tenantId, 0, us);
    },

    /** What is carried and not yet metered, by tenant: the caller's from here on. For an instance that stops. */
    takeCarried(): [TenantId, Carried][] {
      const all = [...carried];
      carried.clear();
      return all;
    },

    /** What this instance knows of the tenant; undefined: nothing yet. It may be old. */
    knownContext: (tenantId: TenantId): TenantContext | undefined => contexts.find(tenantId),
  };
}

/** After a lost reply nothing but the operation's own answer says that nothing was changed. */
const stillUnknown = (cause?: unknown) =>
  new OutcomeUnknownError('The reply to a write was lost, and asking again did not tell', {
    retryAfterMs: 1_000,
    cause,
  });

/** Stands in until the gate told the real one; no key is read or written under it. */
const NO_CONTEXT: TenantContext = { ...EMPTY_CONTEXT, version: '', generation: 0 };
/** Arguments of a call that only learns the context. */
const blank = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name.replace('...', ''), '']));

const denied = (action: string) =>
  new ForbiddenError('access_denied', `A policy of this tenant denies ${action} here`, { details: { action } });

const MAX_TRIES = 12;
/** Of making room for one call. */
const MAX_ROUNDS = 4;
const MAX_CARRIED = 5_000;

/** Work known only afterwards, µs. */
interface Carried {
  readonly computeUs: number;
  readonly accessUs: number;
}

/** As scripts take it. */
const NOTHING_CARRIED = '0';

function take(carried: Map<TenantId, Carried>, tenantId: TenantId): string {
  const work = carried.get(tenantId);
  if (work === undefined) return NOTHING_CARRIED;
  carried.delete(tenantId);
  return work.accessUs > 0 ? `${work.computeUs},${work.accessUs}` : `${work.computeUs}`;
}
