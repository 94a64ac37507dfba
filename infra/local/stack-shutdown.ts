/** How the stack's host is stopped: what lib/shutdown knows of it, and how long it may take. */
import { readFile } from 'node:fs/promises';
import type { App } from '../../lib/app.ts';
import { resolveConfig } from '../../lib/config/resolve-config.ts';
import { background } from '../../lib/shutdown/background.ts';
import { beforeCloseSteps } from '../../lib/shutdown/before-close.ts';
import { createHostShutdown, type HostShutdownDeps } from '../../lib/shutdown/host-shutdown.ts';
import { hostStop } from '../../lib/shutdown/host-stop.ts';
import type { StopStep } from '../../lib/shutdown/stop-steps.ts';

/** Where no configuration says it. */
const DEFAULT_TIMEOUT_MS = 30_000;

export interface StackShutdownOptions extends Pick<HostShutdownDeps, 'drain' | 'endRuns'> {
  /** The functions' app, once it is built. */
  readonly loadedApp: () => App | undefined;
  /** What the functions run with. */
  readonly environment: NodeJS.ProcessEnv;
  readonly onNotice: (text: string) => void;
}

/** @returns stops the host, once. */
export async function createStackShutdown(options: StackShutdownOptions) {
  const { loadedApp, environment, onNotice, drain, endRuns } = options;
  const { config } = await resolveConfig({ env: environment, readFile: (path) => readFile(path, 'utf8') });

  /** As it is when the stop begins: it may have changed while the host ran. */
  const timeoutMs = () => {
    const state = loadedApp()?.config.state ?? config?.state;
    if (state === undefined) return DEFAULT_TIMEOUT_MS;
    return state.enableGracefulShutdown ? state.shutdownTimeoutMs : null;
  };

  const beforeClose = (): readonly StopStep[] => {
    const app = loadedApp();
    return app === undefined ? [] : [...beforeCloseSteps(app), TELEMETRY];
  };

  return createHostShutdown({
    drain,
    endRuns,
    background,
    beforeClose,
    close: async () => loadedApp()?.close(),
    hostStop,
    timeoutMs,
    onError: (step, error) => onNotice(`Stopping: ${step} failed: ${error instanceof Error ? error.message : error}`),
    nowMs: () => performance.now(),
  });
}

/** Metrics are sent when an invocation ends; what came after is sent now. */
const TELEMETRY: StopStep = {
  name: 'telemetry',
  timeoutMs: null,
  async run() {
    const { telemetry } = await import('../../lib/metrics/telemetry.ts');
    if (telemetry.metrics.hasStoredMetrics()) telemetry.metrics.publishStoredMetrics();
  },
};
