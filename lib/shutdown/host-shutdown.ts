/** Stops a long-running host: no new work, what was begun ends, what must not be lost is kept, then the connections close. */
import type { Background } from './background.ts';
import type { HostStop } from './host-stop.ts';
import type { ShutdownReport } from './shutdown-report.ts';
import { runStopSteps, type StopLimits, type StopStep, TIMED_OUT } from './stop-steps.ts';

export interface Drained {
  readonly finished: number;
  readonly cut: number;
}

export interface HostShutdownDeps {
  /** Takes no more requests, and waits for those under way until `signal` aborts; cuts off the rest. */
  readonly drain: (signal: AbortSignal) => Promise<Drained>;
  /** Starts no more runs of schedules and jobs; resolves when those under way have ended. They are told to by the host's stop. */
  readonly endRuns: () => Promise<unknown>;
  readonly background: Pick<Background, 'settled'>;
  /** In order; asked for when the stop begins. */
  readonly beforeClose: () => readonly StopStep[];
  readonly close: () => Promise<unknown>;
  /** Says what is registered as the host's stop while it runs. */
  readonly hostStop: { register(stop: HostStop): () => void };
  /** When the stop begins; null: it is not to be graceful, and what is under way is cut off. */
  readonly timeoutMs: () => number | null;
  readonly onError: StopLimits['onError'];
  readonly nowMs: () => number;
}

/** Of the whole, for requests: what follows has the rest. */
const REQUESTS_SHARE = 2 / 3;

/** @returns stops the host, once: called again, it is the same stop. It never throws. */
export function createHostShutdown(deps: HostShutdownDeps) {
  const { drain, endRuns, background, beforeClose, close, hostStop, timeoutMs, onError, nowMs } = deps;
  const stopping = new AbortController();
  let handedOver = 0;
  const noteHandedOver = () => {
    handedOver++;
  };
  const unregister = hostStop.register({ signal: stopping.signal, noteHandedOver });
  let stopped: Promise<ShutdownReport> | undefined;

  const stop = async (): Promise<ShutdownReport> => {
    const startedMs = nowMs();
    const wholeMs = timeoutMs();
    let drained: Drained = { finished: 0, cut: 0 };
    stopping.abort();
    const runs = endRuns();
    const requests: StopStep = {
      name: 'requests',
      timeoutMs: null,
      // It ends by itself when its time is up, and tells what it has cut off.
      isLast: true,
      run: async (signal) => {
        const time = wholeMs === null ? AbortSignal.abort() : AbortSignal.timeout(Math.round(wholeMs * REQUESTS_SHARE));
        drained = await drain(AbortSignal.any([signal, time]));
        return drained.cut > 0 ? TIMED_OUT : undefined;
      },
    };
    const ending: readonly StopStep[] = [
      { name: 'runs', timeoutMs: null, run: () => runs },
      { name: 'background', timeoutMs: null, run: () => background.settled() },
      ...beforeClose(),
    ];
    const last: StopStep = { name: 'connections', timeoutMs: null, isLast: true, run: close };
    const steps = wholeMs === null ? [requests, last] : [requests, ...ending, last];
    const reports = await runStopSteps(steps, { endMs: startedMs + (wholeMs ?? 0), nowMs, onError });
    unregister();
    return {
      took_ms: Math.round(nowMs() - startedMs),
      requests_finished: drained.finished,
      requests_cut: drained.cut,
      jobs_handed_over: handedOver,
      steps: reports,
    };
  };

  return (): Promise<ShutdownReport> => {
    stopped ??= stop();
    return stopped;
  };
}
