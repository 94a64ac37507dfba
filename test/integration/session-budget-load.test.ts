/** Many more sessions than the memory holds, from many writers at once. The full row is in test/soak. */
import { expect, it } from 'vitest';
import { newUlid } from '../../lib/ids.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { testApp } from '../support/app.ts';
import { runSessionLoad } from '../support/session-load.ts';

const MEMORY_BYTES = 700_000;
const LOAD = { tenants: 4, sessions: 2_000, bytes: 1_000, writers: 8 };

it('are never above the memory there is, all there, each once, below the threshold within two passes [P1 P2 P3 P4]', {
  timeout: 300_000,
}, async () => {
  telemetry.logger.setLogLevel('SILENT');
  const env = {
    PERSISTENCE_CACHE_KEY_PREFIX: `load-${newUlid(Date.now())}`,
    PERSISTENCE_SPILLOVER_MAX_MEMORY_BYTES: String(MEMORY_BYTES),
  };
  const apps = await Promise.all(
    (['tcp', 'rest', 'tcp', 'rest'] as const).map((transport) => testApp({ transport, env })),
  );
  const report = await runSessionLoad(apps, LOAD);
  console.log(JSON.stringify(report));
  expect(report.refused).toBe(0);
  expect(report.passesToThreshold).toBeLessThanOrEqual(2);
  expect(report.createdHot + report.createdCold).toBe(LOAD.sessions);
});
