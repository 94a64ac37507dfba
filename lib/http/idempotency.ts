/**
 * `Idempotency-Key` on POST and PATCH: the first reply is kept for 24 hours and given again. Where calls are kept:
 * system-calls.ts and tenant-calls.ts; how their replies stand there: sealed-reply.ts.
 */
import { IdempotencyError, OutcomeUnknownError, StorageFullError } from '../errors.ts';
import type { Gate } from '../gate/gate.ts';
import type { Keys } from '../keys.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { type BegunCall, type IdempotentCall, isTenantCall } from './call-ledger.ts';
import type { Result } from './result.ts';
import { sealReply, unsealReply } from './sealed-reply.ts';
import { createSystemCalls } from './system-calls.ts';
import { createTenantCalls } from './tenant-calls.ts';

export type Idempotency = ReturnType<typeof createIdempotency>;

export function createIdempotency(deps: { readonly redis: RedisDriver; readonly keys: Keys; readonly gate: Gate }) {
  const systemCalls = createSystemCalls(deps);
  const tenantCalls = createTenantCalls(deps);
  return {
    /**
     * Runs `work` once for a key. A problem that changed nothing is not kept; one with an unknown outcome leaves the call
     * open, and repeating it runs `work` with the same operation id once the lease has ended. So does a reply for which the
     * tenant has no memory: then the header `idempotency-status` says `not_stored`. The fence `work` is given grows with
     * each such run: one that was taken over can be told from the one that took over.
     * @throws {IdempotencyError} the key stands for another request, or its first one still runs.
     * @throws {OutcomeUnknownError} the work is done, but its reply could not be kept. @throws what `work` throws.
     * @throws of a tenant's call, as Gate.run; and {StorageFullError} `memory_full`, before anything was done.
     */
    async run(call: IdempotentCall, work: (operationId: string, fence: number) => Promise<Result>): Promise<Result> {
      const begun = await (isTenantCall(call) ? tenantCalls.begin(call) : systemCalls.begin(call));
      if (begun.state === 'done') return withStatus(unsealReply(begun.reply, call), 'replayed');
      if (begun.state === 'other') throw reused();
      if (begun.state === 'running') throw running(begun.leftMs);
      const result = await runOnce(begun, work);
      // Whatever kept the reply from being kept: the work is done, and "nothing was changed" would be untrue.
      const ended = await begun.end(sealReply(result, call)).catch((cause: unknown) => {
        throw notKept(cause);
      });
      return withStatus(result, ended === 'no_room' ? 'not_stored' : 'stored');
    },
  };
}

async function runOnce(
  begun: Extract<BegunCall, { state: 'run' }>,
  work: (operationId: string, fence: number) => Promise<Result>,
): Promise<Result> {
  try {
    return await work(begun.op, Number(begun.lease));
  } catch (error) {
    if (changedNothing(error)) await begun.end('');
    throw error;
  }
}

const changedNothing = (error: unknown) => {
  if (error instanceof StorageFullError) return error.code !== 'store_full';
  if (typeof error !== 'object' || error === null || !('status' in error)) return false;
  return typeof error.status === 'number' && error.status < 500;
};

const withStatus = (result: Result, status: 'stored' | 'replayed' | 'not_stored'): Result => ({
  ...result,
  headers: { ...result.headers, 'idempotency-status': status },
});

const notKept = (cause: unknown) =>
  new OutcomeUnknownError(
    'It was done, but its answer could not be kept; send it again with the same Idempotency-Key',
    {
      retryAfterMs: 1_000,
      cause,
    },
  );
const reused = () =>
  new IdempotencyError('idempotency_key_reused', 'This Idempotency-Key was used for another request; send a new one');
const running = (leftMs: number) =>
  new IdempotencyError('idempotency_in_progress', 'The first request with this Idempotency-Key still runs', {
    retryAfterMs: Math.min(leftMs, 5_000),
  });
