/** An app on the Redis and the S3 of a running service: for what only its schedules do. */
import { type App, buildApp } from '../../lib/app.ts';
import { loadConfig } from '../../lib/config/load-config.ts';
import type { RunningService } from './start-service.ts';

/** Open only while `work` runs. */
export async function withServiceApp<T>(
  { settings }: Pick<RunningService, 'settings'>,
  work: (app: App) => Promise<T>,
): Promise<T> {
  // The clients of S3 and KMS read them there, as on Lambda.
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = settings;
  Object.assign(process.env, { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY });
  const readFile = () => Promise.reject(new Error('tests have no configuration file'));
  const { config } = await loadConfig({ env: settings, readFile });
  const app = await buildApp(config);
  try {
    return await work(app);
  } finally {
    await app.close();
  }
}
