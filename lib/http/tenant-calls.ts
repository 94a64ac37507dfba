/**
 * Calls of tenants, each in its tenant's slot: begun through the gate, so that who may not call leaves no record, and
 * charged to the tenant's memory with the reply. A call counts as one operation, with an `Idempotency-Key` or without: the
 * work meters itself, and a replay, or being told that the first one still runs, is metered as the work would be.
 */
import { memoryFull, readShortage } from '../gate/full.ts';
import type { Gate } from '../gate/gate.ts';
import type { Keys } from '../keys.ts';
import { beginTenantCall, endTenantCall } from '../redis/bindings/call-scripts.ts';
import type { RedisDriver, RedisReply } from '../redis/driver.ts';
import { asInteger, asText } from '../redis/reply-shape.ts';
import { runScript } from '../redis/script.ts';
import { type BegunCall, type CallLedger, digestOf, type Ended, KEPT_MS, type TenantCall } from './call-ledger.ts';

/** Outcome of begin-tenant-call.lua. */
const MEMORY_FULL = 5;
/** A larger reply is not kept. */
const MAX_REPLY_CHARACTERS = 1024 * 1024;

interface Deps {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly gate: Gate;
}

export function createTenantCalls(deps: Deps): CallLedger<TenantCall> {
  return {
    async begin(call) {
      const { caller, scope } = call.tenant;
      const { found } = await deps.gate.run(caller, {
        script: beginTenantCall,
        scope,
        kind: 'write',
        keys: () => recordKeys(deps.keys, call),
        full: ([outcome]) => outcome === MEMORY_FULL,
        args: () => ({ body: digestOf(call.body), op: call.operationId, leaseMs: call.leaseMs, ttlMs: KEPT_MS }),
      });
      return readBegun(found, (op, lease, reply) => end(deps, call, { op, lease, reply }));
    },
  };
}

function recordKeys(keys: Keys, { tenant, caller, route, idempotencyKey }: TenantCall) {
  const { tenantId, route: namespace = 'call' } = tenant.caller;
  const key = digestOf(caller, route, idempotencyKey);
  return { call: keys.tenantCall(tenantId, { namespace, key }), index: keys.keptIndex(tenantId) };
}

interface Ending {
  readonly op: string;
  readonly lease: string;
  readonly reply: string;
}

async function end({ redis, keys }: Deps, call: TenantCall, ending: Ending): Promise<Ended> {
  // It stays open until its lease ends: repeated then, it runs with the same operation id.
  if (ending.reply.length > MAX_REPLY_CHARACTERS) return 'no_room';
  const { tenantId } = call.tenant.caller;
  const ended = await runScript(redis, endTenantCall, {
    keys: { gate: keys.gate(tenantId), holds: keys.holds(tenantId), ...recordKeys(keys, call) },
    args: { ...ending },
    kind: 'write',
    signal: call.signal,
  });
  return ended ?? 'not_ours';
}

/** @throws {StorageFullError} `memory_full`: nothing was changed. */
function readBegun(
  found: readonly RedisReply[],
  endWith: (op: string, lease: string, reply: string) => Promise<Ended>,
): BegunCall {
  const [outcome, first, second] = found;
  switch (outcome) {
    case 1: {
      const [op, lease] = [asText(first), asText(second)];
      return { state: 'run', op, lease, end: (reply) => endWith(op, lease, reply) };
    }
    case 2:
      return { state: 'done', reply: asText(first) };
    case 3:
      return { state: 'running', leftMs: asInteger(first) };
    case MEMORY_FULL:
      throw memoryFull(readShortage(found), 'send the request without an Idempotency-Key');
    default:
      return { state: 'other' };
  }
}
