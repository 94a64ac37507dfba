/** Runs of a schedule's function that are asked for, beside those by the clock: some at once, and one more after them. */

export interface RunsAtOnce {
  /** Starts a run, or notes that one is to follow when as many as may are under way. Does not wait. */
  start(): void;
  /** Starts no more; resolves when those under way have ended. */
  stop(): Promise<void>;
}

/** As Lambda would run them, in small. */
const MAX_RUNS = 4;

/** @param run the function; what it throws is told to `onError`. */
export function createRunsAtOnce({
  run,
  onError,
}: {
  readonly run: () => Promise<unknown>;
  readonly onError: (error: unknown) => void;
}): RunsAtOnce {
  const running = new Set<Promise<void>>();
  let isAskedAgain = false;
  let isStopped = false;

  function start(): void {
    if (isStopped) return;
    if (running.size >= MAX_RUNS) {
      isAskedAgain = true;
      return;
    }
    const done = runOnce().finally(() => {
      running.delete(done);
      if (!isAskedAgain) return;
      isAskedAgain = false;
      start();
    });
    running.add(done);
  }

  async function runOnce(): Promise<void> {
    try {
      await run();
    } catch (error) {
      onError(error);
    }
  }

  return {
    start,
    async stop() {
      isStopped = true;
      await Promise.all(running);
    },
  };
}
