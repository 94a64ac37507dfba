import { OutcomeUnknownError } from '../errors.ts';
import type { Keys } from '../keys.ts';
import { beginIdempotent, endIdempotent } from '../redis/bindings/call-scripts.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { runScript } from '../redis/script.ts';
import { type CallLedger, digestOf, type IdempotentCall, KEPT_MS } from './call-ledger.ts';

/** Calls of administration, in a slot of the service's own. */
export function createSystemCalls({
  redis,
  keys,
}: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
}): CallLedger<IdempotentCall> {
  return {
    async begin({ caller, route, idempotencyKey, body, operationId, leaseMs, signal }) {
      const key = { call: keys.idempotency(digestOf(caller, route, idempotencyKey)) };
      const args = { body: digestOf(body), op: operationId, leaseMs, ttlMs: KEPT_MS };
      const ask = () => runScript(redis, beginIdempotent, { keys: key, args, kind: 'write', signal });
      // A lost reply is asked for again: else the call would be taken for one that still runs.
      const begun = await ask().catch((error: unknown) => {
        if (error instanceof OutcomeUnknownError && !signal?.aborted) return ask();
        throw error;
      });
      if (begun.state !== 'run') return begun;
      const { op, lease } = begun;
      const end = async (reply: string) => {
        const done = await runScript(redis, endIdempotent, {
          keys: key,
          args: { op, lease, reply },
          kind: 'write',
          signal,
        });
        return done ? 'kept' : 'not_ours';
      };
      return { state: 'run', op, lease, end };
    },
  };
}
