/** How long each kind of operation took, as the caller sees it. */

export interface OperationTimes {
  readonly operation: string;
  readonly count: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

export interface Stopwatch {
  /** Runs the work and notes its time, when it did not throw. */
  time<T>(operation: string, work: () => Promise<T>): Promise<T>;
  /** In the order in which the operations were first timed. */
  times(): readonly OperationTimes[];
}

export function createStopwatch(): Stopwatch {
  const samples = new Map<string, number[]>();
  const listOf = (operation: string) => {
    const list = samples.get(operation) ?? [];
    samples.set(operation, list);
    return list;
  };
  return {
    async time(operation, work) {
      const list = listOf(operation);
      const startedAt = performance.now();
      const result = await work();
      list.push(performance.now() - startedAt);
      return result;
    },
    times: () => [...samples].filter(([, list]) => list.length > 0).map(([name, list]) => summarise(name, list)),
  };
}

function summarise(operation: string, samplesMs: readonly number[]): OperationTimes {
  const sorted = samplesMs.toSorted((a, b) => a - b);
  const rank = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
  return { operation, count: sorted.length, p50Ms: rank(0.5), p95Ms: rank(0.95), p99Ms: rank(0.99) };
}
