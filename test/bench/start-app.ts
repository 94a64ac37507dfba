import { type App, buildApp } from '../../lib/app.ts';
import { loadConfig } from '../../lib/config/load-config.ts';
import type { FailpointHook } from '../../lib/redis/failpoints.ts';

/** An app configured by `env` alone; it is closed with `parts`. @param failpoint as of buildApp: it costs time, so none where time is taken. */
export async function startApp(
  env: Readonly<Record<string, string>>,
  { parts, failpoint }: { readonly parts: AsyncDisposableStack; readonly failpoint?: FailpointHook },
): Promise<App> {
  const readFile = () => Promise.reject(new Error('The bench has no configuration file'));
  const { config } = await loadConfig({ env, readFile });
  const app = await buildApp(config, failpoint, { sources: { env, readFile } });
  parts.defer(() => app.close());
  return app;
}
