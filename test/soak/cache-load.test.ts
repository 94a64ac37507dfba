/** `npm run test:soak`: 16 clients do everything that can be done to a cache, over both transports at once, while calls fail. */
import { expect, it } from 'vitest';
import { newUlid } from '../../lib/ids.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { testApp } from '../support/app.ts';
import { INLINE_MAX_BYTES, runCacheLoad } from '../support/cache-load.ts';
import { createRandomFaults } from '../support/random-faults.ts';

const OPERATIONS = Number(process.env.RIPTIDE_SOAK_OPERATIONS ?? 20_000);

it(`shows what may be seen, and is not a byte off after ${OPERATIONS} operations of 16 clients [C1 C4 C6 C7 C8 C13 T6]`, async () => {
  telemetry.logger.setLogLevel('SILENT');
  const faults = createRandomFaults(15);
  const env = {
    PERSISTENCE_CACHE_KEY_PREFIX: `cs-${newUlid(Date.now())}`,
    PERSISTENCE_CACHE_INLINE_MAX_BYTES: String(INLINE_MAX_BYTES),
  };
  const transports = ['tcp', 'rest', 'tcp', 'rest'] as const;
  const apps = await Promise.all(transports.map((transport) => testApp({ transport, env, failpoint: faults.hook })));
  const seed = Number(process.env.RIPTIDE_SEED ?? Date.now() % 1_000_000);
  console.log(`seed ${seed}`);
  const report = await runCacheLoad(apps, { clients: 16, operations: OPERATIONS, seed, faults });
  console.log(`${JSON.stringify(report)}: 0 bytes off`);
  expect(report.faulted).toBeGreaterThan(0);
});
