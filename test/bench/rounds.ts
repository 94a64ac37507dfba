/**
 * Interleaved measuring: in every round each side runs one block, in turn (A B A B …), so that a machine that is slower
 * for a while is slower for all of them.
 */
import { percentile } from './statistics.ts';

/** One call to measure. */
export type Side = () => Promise<unknown>;

/** One figure a round, for each side. */
export type Rounds<Name extends string> = Readonly<Record<Name, readonly number[]>>;

export interface RoundOptions {
  /** Measured rounds; a third as many go before them, unmeasured: what runs for the first time is compiled meanwhile. */
  readonly rounds: number;
  /** Milliseconds a side runs in one round. */
  readonly blockMs: number;
}

/** Many short rounds: the sides of a ratio stand close together in time, and one disturbed round moves no median. */
const DEFAULTS: RoundOptions = { rounds: 25, blockMs: 40 };

/** Calls one after the other. @returns the p50 of each round, in µs. */
export function measureLatency<Name extends string>(
  sides: Readonly<Record<Name, Side>>,
  options: Partial<RoundOptions> = {},
): Promise<Rounds<Name>> {
  return measureRounds(
    sides,
    options,
    async (call, blockMs) => percentile(await timedCalls(call, blockMs), 0.5) * 1000,
  );
}

/** `concurrency` callers, each calling again when it is answered. @returns the calls per second of each round. */
export function measureThroughput<Name extends string>(
  sides: Readonly<Record<Name, Side>>,
  { concurrency, ...options }: Partial<RoundOptions> & { readonly concurrency: number },
): Promise<Rounds<Name>> {
  return measureRounds(sides, options, async (call, blockMs) => {
    const startedAt = performance.now();
    const callers = Array.from({ length: concurrency }, () => countCalls(call, startedAt + blockMs));
    const calls = (await Promise.all(callers)).reduce((sum, count) => sum + count, 0);
    return (calls * 1000) / (performance.now() - startedAt);
  });
}

/** Interleaves any measure of a side. */
export async function measureRounds<Name extends string, S>(
  sides: Readonly<Record<Name, S>>,
  options: Partial<RoundOptions>,
  measure: (side: S, blockMs: number) => Promise<number>,
): Promise<Rounds<Name>> {
  const { rounds, blockMs } = { ...DEFAULTS, ...options };
  const entries = Object.entries(sides) as [Name, S][];
  const figures = new Map<Name, number[]>(entries.map(([name]) => [name, []]));
  for (let round = -Math.ceil(rounds / 3); round < rounds; round++) {
    for (const [name, side] of entries) {
      const figure = await measure(side, blockMs);
      if (round >= 0) figures.get(name)?.push(figure);
    }
  }
  return Object.fromEntries(figures) as unknown as Rounds<Name>;
}

async function timedCalls(call: Side, blockMs: number): Promise<readonly number[]> {
  const times: number[] = [];
  const endsAt = performance.now() + blockMs;
  for (let startedAt = performance.now(); startedAt < endsAt; ) {
    await call();
    const endedAt = performance.now();
    times.push(endedAt - startedAt);
    startedAt = endedAt;
  }
  return times;
}

async function countCalls(call: Side, endsAt: number): Promise<number> {
  let calls = 0;
  while (performance.now() < endsAt) {
    await call();
    calls++;
  }
  return calls;
}
