/** Waits that end: by time, or by the caller's signal. */

/** How long one try may take. */
export interface WaitLimits {
  /** Milliseconds, connecting included. */
  readonly timeoutMs: number;
  /** The caller's deadline. */
  readonly signal?: AbortSignal | undefined;
}

/** Waits `ms`, or less when `signal` aborts. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/**
 * `promise`, unless `timeoutMs` pass or `signal` aborts first.
 * @throws what `expired` makes of the reason; the promise itself goes on, its failure is not reported.
 */
export async function within<T>(
  promise: Promise<T>,
  limits: WaitLimits,
  expired: (reason: 'timeout' | 'aborted') => Error,
): Promise<T> {
  const over = new AbortController();
  const onAbort = () => over.abort('aborted');
  const timer = setTimeout(() => over.abort('timeout'), limits.timeoutMs);
  limits.signal?.addEventListener('abort', onAbort, { once: true });
  if (limits.signal?.aborted) onAbort();
  try {
    return await Promise.race([promise, rejection(over.signal, expired)]);
  } finally {
    clearTimeout(timer);
    limits.signal?.removeEventListener('abort', onAbort);
  }
}

function rejection(signal: AbortSignal, expired: (reason: 'timeout' | 'aborted') => Error): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = () => reject(expired(signal.reason as 'timeout' | 'aborted'));
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}
