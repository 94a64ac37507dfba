/**
 * `Idempotency-Key` on POST and PATCH: the first reply is kept for 24 hours and given again.
 *
 * A kept reply may hold a secret (a new API key), so it is encrypted under a key made of the caller's own key and the
 * `Idempotency-Key`: neither is stored, so the store alone cannot read it.
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { IdempotencyError, OutcomeUnknownError } from '../errors.ts';
import type { Keys } from '../keys.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { runScript } from '../redis/script.ts';
import { beginIdempotent, endIdempotent } from '../redis/scripts.ts';
import type { Result } from './result.ts';

const KEPT_MS = 24 * 60 * 60 * 1000;

export interface IdempotentCall {
  /** The caller's own key. */
  readonly caller: string;
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

export type Idempotency = ReturnType<typeof createIdempotency>;

export function createIdempotency({ redis, keys }: { readonly redis: RedisDriver; readonly keys: Keys }) {
  return {
    /**
     * Runs `work` once for a key. A problem that changed nothing is not kept; one with an unknown outcome leaves the call
     * open, and repeating it runs `work` with the same operation id once the lease has ended. The fence `work` is given
     * grows with each such run: one that was taken over can be told from the one that took over.
     * @throws {IdempotencyError} the key stands for another request, or its first one still runs.
     * @throws {OutcomeUnknownError} the work is done, but its reply could not be kept. @throws what `work` throws.
     */
    async run(call: IdempotentCall, work: (operationId: string, fence: number) => Promise<Result>): Promise<Result> {
      const { signal } = call;
      const key = { call: keys.idempotency(digest(call.caller, call.route, call.idempotencyKey)) };
      const begin = () =>
        runScript(redis, beginIdempotent, {
          keys: key,
          args: { body: digest(call.body), op: call.operationId, leaseMs: call.leaseMs, ttlMs: KEPT_MS },
          kind: 'write',
          signal,
        });
      // A lost reply is asked for again: else the call would be taken for one that still runs.
      const begun = await begin().catch((error: unknown) => {
        if (error instanceof OutcomeUnknownError && !signal?.aborted) return begin();
        throw error;
      });
      if (begun.state === 'done') return unseal(begun.reply, call);
      if (begun.state === 'other') throw reused();
      if (begun.state === 'running') throw running(begun.leftMs);

      const { op, lease } = begun;
      const end = (reply: string) =>
        runScript(redis, endIdempotent, { keys: key, args: { op, lease, reply }, kind: 'write', signal });
      let result: Result;
      try {
        result = await work(op, Number(lease));
      } catch (error) {
        if (changedNothing(error)) await end('');
        throw error;
      }
      // Whatever kept the reply from being kept: the work is done, and "nothing was changed" would be untrue.
      await end(seal(result, call)).catch((cause: unknown) => {
        throw notKept(cause);
      });
      return { ...result, headers: { ...result.headers, 'idempotency-status': 'stored' } };
    },
  };
}

const changedNothing = (error: unknown) =>
  typeof error === 'object' &&
  error !== null &&
  'status' in error &&
  typeof error.status === 'number' &&
  error.status < 500;

const digest = (...parts: readonly string[]) => createHash('sha256').update(JSON.stringify(parts)).digest('base64url');

const sealingKey = ({ caller, idempotencyKey }: IdempotentCall) =>
  Buffer.from(hkdfSync('sha256', caller, idempotencyKey, 'riptide idempotent reply', 32));

function seal(result: Result, call: IdempotentCall): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', sealingKey(call), nonce);
  const text = Buffer.concat([cipher.update(JSON.stringify(result)), cipher.final()]);
  return `i1,${Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64url')}`;
}

function unseal(reply: string, call: IdempotentCall): Result {
  const bytes = Buffer.from(reply.slice(3), 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', sealingKey(call), bytes.subarray(0, 12));
  decipher.setAuthTag(bytes.subarray(12, 28));
  const text = Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
  const result = JSON.parse(text) as Result;
  return { ...result, headers: { ...result.headers, 'idempotency-status': 'replayed' } };
}

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
