/** When a command may be sent again: the same law for every transport. */
import { DeadlineError, OutcomeUnknownError, RedisUnavailableError } from '../errors.ts';
import type { SendOptions } from './driver.ts';
import { isPassing, unavailable } from './transport-errors.ts';
import { pause } from './waiting.ts';

export interface RetryPolicy {
  /** Milliseconds the whole call may take, retries and pauses included. */
  readonly commandTimeoutMs: number;
  /** Tries after the first one. */
  readonly retryAttempts: number;
  /** Milliseconds between two tries. */
  readonly retryDelayMs: number;
}

/**
 * Tries until there is an answer. What changed nothing (RedisUnavailableError) is tried again, and so is a read without
 * a reply; a write without a reply never is.
 * @param attempt one try of at most `timeoutMs`. It throws RedisUnavailableError when nothing was changed and
 * OutcomeUnknownError when it was sent and not answered, for reads too.
 * @throws as RedisDriver.send; a read never ends in OutcomeUnknownError.
 */
export async function withRetries<T>(
  policy: RetryPolicy,
  options: SendOptions,
  attempt: (timeoutMs: number) => Promise<T>,
): Promise<T> {
  if (options.signal?.aborted) throw deadline();
  const endsAt = performance.now() + policy.commandTimeoutMs;
  let leftMs = policy.commandTimeoutMs;
  for (let triesLeft = policy.retryAttempts; ; triesLeft--) {
    try {
      return await attempt(tryMs(leftMs, triesLeft, options));
    } catch (error) {
      leftMs = endsAt - performance.now() - policy.retryDelayMs;
      const again = triesLeft > 0 && leftMs > 0 && !options.signal?.aborted && mayRepeat(error, options);
      if (!again) throw finalError(error, options);
    }
    await pause(policy.retryDelayMs, options.signal);
    leftMs = endsAt - performance.now();
    if (options.signal?.aborted) throw deadline();
  }
}

/** A read keeps half of what is left for another try: silence is most often a dead connection, as after a freeze. */
function tryMs(leftMs: number, triesLeft: number, options: SendOptions): number {
  return options.kind === 'read' && triesLeft > 0 ? Math.ceil(leftMs / 2) : Math.max(1, leftMs);
}

function mayRepeat(error: unknown, options: SendOptions): boolean {
  if (error instanceof RedisUnavailableError) return isPassing(error);
  return error instanceof OutcomeUnknownError && options.kind === 'read';
}

function finalError(error: unknown, options: SendOptions): unknown {
  const lost = error instanceof OutcomeUnknownError;
  if (lost && options.kind === 'write') return error;
  if (!lost && !(error instanceof RedisUnavailableError)) return error;
  if (options.signal?.aborted) return deadline();
  return lost ? unavailable(error.details.reason === 'timeout' ? 'timeout' : 'connection_lost') : error;
}

const deadline = () => new DeadlineError('Time ran out before Redis answered');
