import type { App } from '../../../lib/app.ts';

/** Something that is done through ports in one or more calls, each of which may be the last one. */
export interface Flow {
  readonly name: string;
  /** Scripts and commands, in order. */
  readonly calls: readonly string[];
  /** Of its apps, beside those all flows have. */
  settings?(): Promise<Readonly<Record<string, string>>>;
  /** A case of its own. `app` may fail where it is told to, `direct` never does. */
  prepare(app: App, direct: App): Promise<PreparedFlow>;
}

export interface PreparedFlow {
  run(signal: AbortSignal): Promise<unknown>;
  /** Fails unless all is as if the flow had run once and well. `result`: of the run that went well. */
  verify(result: unknown): Promise<void>;
}
