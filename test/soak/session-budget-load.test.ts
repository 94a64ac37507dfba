/** `npm run test:soak`: a hundred thousand sessions in the memory of five thousand. RIPTIDE_SOAK_SESSIONS for fewer. */
import { expect, it } from 'vitest';
import { newUlid } from '../../lib/ids.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { testApp } from '../support/app.ts';
import { runSessionLoad } from '../support/session-load.ts';

const SESSIONS = Number(process.env.RIPTIDE_SOAK_SESSIONS ?? 100_000);
const MEMORY_BYTES = 20_000_000;
const HOURS = 3_600_000;

it(`${SESSIONS} sessions of 4 KB are never above 20 MB, all there, each once, below the threshold within two passes [P1 P2 P3 P4]`, {
  timeout: 3 * HOURS,
}, async () => {
  telemetry.logger.setLogLevel('SILENT');
  const env = {
    PERSISTENCE_CACHE_KEY_PREFIX: `load-${newUlid(Date.now())}`,
    PERSISTENCE_SPILLOVER_MAX_MEMORY_BYTES: String(MEMORY_BYTES),
  };
  const apps = await Promise.all(Array.from({ length: 4 }, () => testApp({ env })));
  const report = await runSessionLoad(apps, { tenants: 4, sessions: SESSIONS, bytes: 4_000, writers: 8 });
  console.log(JSON.stringify(report));
  expect(report.refused).toBe(0);
  expect(report.passesToThreshold).toBeLessThanOrEqual(2);
});
