/** The stack's host looks for another configuration itself: on AWS, S3 and a schedule tell the functions. */
import type { App } from '../../lib/app.ts';
import { startConfigWatch } from '../../lib/runtime-config/config-watch.ts';

export interface StackConfigWatchOptions {
  /** The functions' app. */
  readonly getApp: () => Promise<App>;
  /** What the functions run with. */
  readonly environment: NodeJS.ProcessEnv;
  readonly onNotice: (text: string) => void;
}

/** Begins once the app is built; a configuration it cannot be built of is told by each function. @returns how to stop. */
export function watchStackConfig({ getApp, environment, onNotice }: StackConfigWatchOptions) {
  let isStopped = false;
  let told = '';
  const onError = (error: unknown) => {
    const text = error instanceof Error ? error.message : String(error);
    // S3 that is away is away at each look.
    if (text !== told) onNotice(`The configuration could not be looked at: ${text}`);
    told = text;
  };
  const started = getApp().then(
    ({ config: { state }, configReload: reload, blobs }) => {
      if (!state.enableHotReload || isStopped) return null;
      const ownFile = environment.RIPTIDE_CONFIG?.trim() ?? '';
      return startConfigWatch({ reload, blobs, ownFile, watched: state.configWatchPaths, onError });
    },
    () => null,
  );
  return async (): Promise<void> => {
    isStopped = true;
    await (await started)?.stop();
  };
}
