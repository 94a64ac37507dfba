/** Starts what a schedule does at once: a request that finds it due does not leave it to the clock. */
import { reasonOf, statusOf } from '../aws/sdk-error.ts';
import type { Telemetry } from '../metrics/telemetry.ts';
import type { hostRuns } from './host-runs.ts';
import type { LambdaInvokerOptions } from './lambda-invoker.ts';

export interface RunNow {
  /**
   * Starts the run that moves sessions to S3; at most once in 5 s, else nothing. Resolves once it is started, on Lambda once the
   * call is taken, and never waits for the run. Never throws: what goes wrong is logged and counted, and the schedule comes.
   */
  spillSessions(): Promise<void>;
}

const MIN_INTERVAL_MS = 5_000;

export interface RunNowDeps {
  /** Of a long-running host; they come first. */
  readonly hostRuns: Pick<typeof hostRuns, 'find'>;
  /** The schedule's function on AWS; null: there is none. */
  readonly lambda: LambdaInvokerOptions | null;
  readonly telemetry: { readonly logger: Pick<Telemetry['logger'], 'error'>; readonly count: Telemetry['count'] };
  /** By a clock that never goes back, ms. */
  readonly nowMs: () => number;
}

/** With neither a host nor a function it does nothing. Nothing is loaded or connected before the first call. */
export function createRunNow({ hostRuns, lambda, telemetry, nowMs }: RunNowDeps): RunNow {
  let lastMs = Number.NEGATIVE_INFINITY;
  let loading: Promise<() => Promise<void>> | undefined;

  const onLambda = async (options: LambdaInvokerOptions): Promise<void> => {
    loading ??= import('./lambda-invoker.ts')
      .then(({ createLambdaInvoker }) => createLambdaInvoker(options))
      .catch((error: unknown) => {
        loading = undefined;
        throw error;
      });
    await (await loading)();
  };

  return {
    async spillSessions() {
      const inHost = hostRuns.find('spill-sessions');
      if ((inHost === undefined && lambda === null) || nowMs() - lastMs < MIN_INTERVAL_MS) return;
      lastMs = nowMs();
      try {
        if (inHost !== undefined) inHost();
        else if (lambda !== null) await onLambda(lambda);
        telemetry.count('riptide_run_now_started_total');
      } catch (error) {
        // Of the SDK's error only what may be shown: its message may name parts of a signature.
        telemetry.logger.error('A run could not be started at once', {
          run: 'spill-sessions',
          reason: reasonOf(error),
          status: statusOf(error),
        });
        telemetry.count('riptide_run_now_failed_total');
      }
    },
  };
}
