/**
 * The limiter as a service: a tenant limits users of its own. One round trip a check, in the tenant's slot; Redis' time
 * decides. What a check keeps is charged to the tenant's memory until the limit is whole again.
 */
import { createHash, randomBytes } from 'node:crypto';
import { OutcomeUnknownError, RedisUnavailableError } from '../errors.ts';
import type { Caller } from '../gate/caller.ts';
import { memoryFull, readShortage } from '../gate/full.ts';
import type { Gate } from '../gate/gate.ts';
import type { Keys } from '../keys.ts';
import { checkLimit } from '../redis/bindings/limit-scripts.ts';
import type { RedisReply } from '../redis/driver.ts';
import { type Algorithm, checkLimitCheck, type LimitCheck } from './limit-rules.ts';

export interface LimitVerdict {
  readonly allowed: boolean;
  readonly limit: number;
  /** What may still be spent now; null: nobody could be asked. */
  readonly remaining: number | null;
  /** When nothing will be used any more, Unix ms; null: nobody could be asked. */
  readonly resetAtMs: number | null;
  /** How long to wait before the same would fit; null when it does. */
  readonly retryAfterMs: number | null;
  readonly algorithm: Algorithm;
  /** Nobody could be asked: allowed because the request says so, and not counted. */
  readonly degraded: boolean;
}

const SCOPE = 'ratelimit:check';

export type RateLimiter = ReturnType<typeof createRateLimiter>;

export function createRateLimiter({ gate, keys }: { readonly gate: Gate; readonly keys: Keys }) {
  const ask = async (caller: Caller, check: LimitCheck, operationId: string) => {
    const { name, identifier, limit, windowMs, cost = 1, algorithm = 'fixed_window' } = check;
    const where = { namespace: name, key: identifier };
    const { found } = await gate.run(caller, {
      script: checkLimit,
      scope: SCOPE,
      kind: cost === 0 ? 'read' : 'write',
      resource: resourceOf(check),
      keys: () => ({ limit: keys.limit(caller.tenantId, where), index: keys.keptIndex(caller.tenantId) }),
      full: ([outcome]) => outcome === MEMORY_FULL,
      args: () => ({ algorithm: LETTERS[algorithm], limit, windowMs, cost, op: opOf(operationId) }),
    });
    return readVerdict(found, { limit, algorithm });
  };

  return {
    /**
     * Whether it may be done; when it may, its cost is counted. Exact whoever asks at the same time, and counted once also
     * after a lost reply, as long as the check is one of the last 8 of its identifier.
     * @param options.operationId the same for a repeated check: the repetition is answered and not counted.
     * @throws {InvalidRequestError} a part does not fit. @throws {StorageFullError} `memory_full`. @throws as Gate.run.
     */
    async check(
      caller: Caller,
      check: LimitCheck,
      options: { readonly operationId?: string } = {},
    ): Promise<LimitVerdict> {
      checkLimitCheck(check);
      try {
        return await ask(caller, check, options.operationId ?? randomBytes(12).toString('hex'));
      } catch (error) {
        const unavailable = error instanceof RedisUnavailableError || error instanceof OutcomeUnknownError;
        const stays = check.onUnavailable === 'allow' && unavailable;
        if (stays && gate.sawAdmitted(caller, { scope: SCOPE, resource: resourceOf(check) })) return degraded(check);
        throw error;
      }
    },
  };
}

/** As the script knows them. */
const LETTERS = { fixed_window: 'f', token_bucket: 'b' } as const;

/** As policies name it. */
const resourceOf = ({ name }: LimitCheck) => `ratelimit/${name}`;

/** 64 bits, hex: all that the state has room for. */
const opOf = (operationId: string) => createHash('sha256').update(operationId).digest('hex').slice(0, 16);

const MEMORY_FULL = 5;

function readVerdict(
  found: readonly RedisReply[],
  { limit, algorithm }: { readonly limit: number; readonly algorithm: Algorithm },
): LimitVerdict {
  const [outcome, allowed, remaining, resetMs, retryMs] = found;
  if (outcome === MEMORY_FULL) throw memoryFull(readShortage(found), 'the limit cannot be kept');
  return {
    allowed: allowed === 1,
    limit,
    remaining: Number(remaining),
    resetAtMs: Number(resetMs),
    retryAfterMs: allowed === 1 ? null : Number(retryMs),
    algorithm,
    degraded: false,
  };
}

const degraded = ({ limit, algorithm = 'fixed_window' }: LimitCheck): LimitVerdict => ({
  allowed: true,
  limit,
  remaining: null,
  resetAtMs: null,
  retryAfterMs: null,
  algorithm,
  degraded: true,
});
