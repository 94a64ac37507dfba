/** The steps of a stop, one after the other, within the time the whole of it may take. */

export interface StopStep {
  /** kebab-case; it stands in the report. */
  readonly name: string;
  /** Milliseconds it gets at most; null: all that is left of the whole. */
  readonly timeoutMs: number | null;
  /** Runs also when no time is left: what closes something. It gets {@link LAST_MS} then. */
  readonly isLast?: boolean;
  /**
   * @param signal aborts when its time is up; whoever waits goes on then, whether it ends or not.
   * @returns {@link TIMED_OUT}: it has ended by itself, and not all of it was done. Anything else: it was.
   */
  run(signal: AbortSignal): Promise<unknown>;
}

export interface StepReport {
  readonly name: string;
  /** `skipped`: no time was left to begin it. */
  readonly outcome: 'done' | 'failed' | 'timed_out' | 'skipped';
  readonly took_ms: number;
}

/** Of a step that closes something, when nothing is left of the whole. */
const LAST_MS = 500;
/** What a step resolves with that could not end all it has to. */
export const TIMED_OUT = Symbol('timed out');

export interface StopLimits {
  /** By the clock of `nowMs`. */
  readonly endMs: number;
  /** Of a clock that never goes back, ms. */
  readonly nowMs: () => number;
  /** Told of a step that threw; the next one runs all the same. */
  readonly onError: (step: string, error: unknown) => void;
}

/** Runs them all; one that fails or hangs holds up no other beyond its time. Never throws. */
export async function runStopSteps(steps: readonly StopStep[], limits: StopLimits): Promise<readonly StepReport[]> {
  const reports: StepReport[] = [];
  for (const step of steps) {
    const startedMs = limits.nowMs();
    const outcome = await runOne(step, limits);
    reports.push({ name: step.name, outcome, took_ms: Math.round(limits.nowMs() - startedMs) });
  }
  return reports;
}

async function runOne(step: StopStep, { endMs, nowMs, onError }: StopLimits): Promise<StepReport['outcome']> {
  const wholeMs = Math.max(endMs - nowMs(), step.isLast ? LAST_MS : 0);
  const leftMs = Math.min(step.timeoutMs ?? wholeMs, wholeMs);
  if (leftMs < 1) return 'skipped';
  const time = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<typeof TIMED_OUT>((resolve) => {
    timer = setTimeout(() => resolve(TIMED_OUT), leftMs);
  });
  try {
    const ended = await Promise.race([step.run(time.signal), late]);
    return ended === TIMED_OUT ? 'timed_out' : 'done';
  } catch (error) {
    onError(step.name, error);
    return 'failed';
  } finally {
    clearTimeout(timer);
    time.abort();
  }
}
