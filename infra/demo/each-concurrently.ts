export interface Bounds {
  /** How many are worked on at once. */
  readonly concurrency: number;
  /** Aborted: no further item is begun, and the call throws its reason. */
  readonly signal: AbortSignal;
}

/** Works on every item, a few at once. The first error stops the rest; it is thrown when those under way have ended. */
export async function eachConcurrently<T>(
  items: Iterable<T>,
  { concurrency, signal }: Bounds,
  work: (item: T) => Promise<void>,
): Promise<void> {
  // One iterator for all workers: each item is taken once.
  const queue = items[Symbol.iterator]();
  let failure: { readonly error: unknown } | undefined;
  const worker = async () => {
    for (let next = queue.next(); !next.done && !failure && !signal.aborted; next = queue.next()) {
      try {
        await work(next.value);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  if (failure) throw failure.error;
  signal.throwIfAborted();
}

/** Waits for all of them, also when one has failed; then throws the first failure. */
export async function allEnded(works: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(works);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
