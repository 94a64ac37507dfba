/** Starts at once what a schedule does: in the host's own process, or on Lambda by calling the schedule's function. */
import { reasonOf, statusOf } from '../aws/sdk-error.ts';
import type { Telemetry } from '../metrics/telemetry.ts';
import type { hostRuns, RunName } from './host-runs.ts';
import type { LambdaInvokerOptions } from './lambda-invoker.ts';

/** What the schedule's function is called with. */
export type RunEvent = Readonly<Record<string, string | number>>;

export interface StartRunDeps {
  readonly name: RunName;
  /** Of a long-running host; they come first. */
  readonly hostRuns: Pick<typeof hostRuns, 'find'>;
  /** The schedule's function on AWS; null: there is none. */
  readonly lambda: LambdaInvokerOptions | null;
  readonly telemetry: { readonly logger: Pick<Telemetry['logger'], 'error'>; readonly count: Telemetry['count'] };
}

export type StartRun = ReturnType<typeof createStartRun>;

/** With neither a host nor a function it does nothing. Nothing is loaded or connected before the first start. */
export function createStartRun({ name, hostRuns, lambda, telemetry }: StartRunDeps) {
  let loading: Promise<(event?: RunEvent) => Promise<void>> | undefined;

  const onLambda = async (options: LambdaInvokerOptions, event: RunEvent | undefined): Promise<void> => {
    loading ??= import('./lambda-invoker.ts')
      .then(({ createLambdaInvoker }) => createLambdaInvoker(options))
      .catch((error: unknown) => {
        loading = undefined;
        throw error;
      });
    await (await loading)(event);
  };

  return {
    /** Whether there is anything to start. */
    isPossible: (): boolean => lambda !== null || hostRuns.find(name) !== undefined,

    /**
     * Resolves once it is started, on Lambda once the call is taken, and never waits for the run. Never throws: what goes wrong is
     * logged and counted, and the schedule comes.
     */
    async start(event?: RunEvent): Promise<void> {
      const inHost = hostRuns.find(name);
      if (inHost === undefined && lambda === null) return;
      try {
        if (inHost !== undefined) inHost();
        else if (lambda !== null) await onLambda(lambda, event);
        telemetry.count('riptide_run_now_started_total');
      } catch (error) {
        // Of the SDK's error only what may be shown: its message may name parts of a signature.
        const facts = { run: name, reason: reasonOf(error), status: statusOf(error) };
        telemetry.logger.error('A run could not be started at once', facts);
        telemetry.count('riptide_run_now_failed_total');
      }
    },
  };
}

/** The function named by the environment, if there is one. */
export const functionOf = (name: string | undefined): LambdaInvokerOptions | null =>
  name ? { functionName: name } : null;
