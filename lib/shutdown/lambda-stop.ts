/** What an instance does at SIGTERM: it is idle then, all it has acknowledged is stored, and it has about 300 ms. Best effort. */
import type { App } from '../app.ts';
import type { Telemetry } from '../metrics/telemetry.ts';

const TIMEOUT_MS = 250;

/** Sends the metrics that are left, gives back the connections to Redis. Never throws; ends within 250 ms. */
export async function stopInstance(
  app: Pick<App, 'close'>,
  { metrics }: { readonly metrics: Pick<Telemetry['metrics'], 'hasStoredMetrics' | 'publishStoredMetrics'> },
): Promise<void> {
  if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, TIMEOUT_MS);
  });
  await Promise.race([app.close().catch(() => undefined), late]);
  clearTimeout(timer);
}
